"""Pictures that are no numbers, as after an overflow in 16 bits, give an error message and no video."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from tests.support.evidence import tiny_network
from vidrestore.daefr import COMPACT, Daefr
from vidrestore.errors import WeightsError
from vidrestore.evidence import Evidence, TwoSizeEvidence
from vidrestore.restoration import DaefrGenerator, NetworkRestorer
from vidrestore.restoration.estimator import Estimator, PictureEvidence
from vidrestore.restoration.tensor_pictures.restorer import TensorRestorer

CPU = torch.device("cpu")
FACES = [np.full((256, 256, 3), level, np.float32) for level in (0.2, 0.6)]
KINDS = pytest.mark.parametrize("kind", [NetworkRestorer, TensorRestorer])
NUMBERS = pytest.mark.parametrize("number", [float("nan"), float("inf")])


def networks(kind: type) -> Any:
    restorer = NetworkRestorer(
        CPU,
        Estimator(TwoSizeEvidence(tiny_network()), device=CPU, precision=torch.float32),
        DaefrGenerator(Daefr(COMPACT).eval().requires_grad_(False), device=CPU),
    )
    return restorer if kind is NetworkRestorer else TensorRestorer(restorer)


@KINDS
@NUMBERS
def test_an_estimate_without_numbers_is_refused(
    kind: type, number: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    evidence = Estimator.evidence

    def spoilt(self: Estimator, pictures: torch.Tensor) -> PictureEvidence:
        found = evidence(self, pictures)
        mean = found.evidence.mean.clone()
        mean[-1, 0, 3, 5] = number  # a single sample of the last face
        return replace(found, evidence=Evidence(mean, found.evidence.scale))

    restorer = networks(kind)
    assert len(restorer.estimate(FACES)) == 2
    monkeypatch.setattr(Estimator, "evidence", spoilt)
    with pytest.raises(WeightsError, match="pictures have infinite values"):
        restorer.estimate(FACES)


@KINDS
@NUMBERS
def test_a_drawn_face_without_numbers_is_refused(
    kind: type, number: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode = DaefrGenerator.decode_tensors

    def spoilt(self: DaefrGenerator, codes: Any) -> torch.Tensor:
        faces = decode(self, codes).clone()
        faces[-1, 0, 3, 5] = number
        return faces

    restorer = networks(kind)
    codes = restorer.predict(restorer.encode(FACES))
    assert len(restorer.decode(codes)) == 2
    monkeypatch.setattr(DaefrGenerator, "decode_tensors", spoilt)
    with pytest.raises(WeightsError, match="pictures have infinite values"):
        restorer.decode(codes)
