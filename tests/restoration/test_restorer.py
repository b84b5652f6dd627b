"""Which networks restore a face, by the fidelity that is requested."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.networks import SMALL
from vidrestore.daefr import Daefr, save
from vidrestore.errors import UsageError, WeightsError
from vidrestore.evidence.two_size_files import EvidenceFiles
from vidrestore.restoration import make_restorer
from vidrestore.restoration.fusion import AMOUNT
from vidrestore.restoration.restorer import DEFAULT_SIZE, drawing_amount
from vidrestore.settings import Fidelity


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    torch.manual_seed(0)
    save(Daefr(SMALL), path)
    return path


@pytest.mark.parametrize(
    ("fidelity", "estimates", "generates"),
    [(0.0, False, True), (0.5, True, True), ("auto", True, True), (1.0, True, False)],
)
def test_each_fidelity_loads_the_networks_that_it_needs(
    weights: Path, fidelity: Fidelity, estimates: bool, generates: bool
) -> None:
    restorer = make_restorer(weights, device="cpu", fidelity=fidelity)
    assert (restorer.estimates, restorer.generates) == (estimates, generates)
    assert restorer.size == (SMALL.image_size if generates else DEFAULT_SIZE)


def test_the_requested_precision_is_used(weights: Path) -> None:
    exact = make_restorer(weights, device="cpu", precision="float32")
    assert (exact.precision, exact.is_exact) == (torch.float32, True)
    assert not make_restorer(weights, device="cpu").is_exact


def test_without_a_generator_its_weights_are_not_read(tmp_path: Path) -> None:
    absent = tmp_path / "absent.safetensors"
    assert make_restorer(absent, device="cpu", fidelity=1.0).generator is None
    with pytest.raises(WeightsError, match="no weights"):
        make_restorer(absent, device="cpu")


def test_without_an_estimator_no_evidence_is_read(weights: Path, tmp_path: Path) -> None:
    absent = EvidenceFiles(tmp_path / "absent.safetensors")
    assert make_restorer(weights, evidence=absent, device="cpu", fidelity=0.0).estimator is None
    with pytest.raises(WeightsError, match="there are no weights at"):
        make_restorer(weights, evidence=absent, device="cpu")


def test_a_generator_of_another_size_completes_an_estimate(weights: Path) -> None:
    """A generator of 32 pixels draws for a face of 64."""
    restorer = make_restorer(weights, device="cpu")
    face = np.full((64, 64, 3), 0.5, np.float32)
    (estimate,) = restorer.estimate([face])
    (drawn,) = restorer.decode(restorer.predict(restorer.encode([face[::2, ::2].copy()])))
    assert drawn.shape == (32, 32, 3)
    (fused,) = restorer.fuse([(estimate, drawn)])
    assert fused.picture.shape == face.shape
    assert 0 <= fused.drawn <= 1


@settings(deadline=None)
@given(st.floats(0, 1), st.floats(0, 1))
def test_the_higher_the_fidelity_the_less_is_drawn(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert drawing_amount(low) >= drawing_amount(high) >= 0


def test_fidelity_auto_is_one_half_and_fidelity_0_draws_all_and_1_nothing() -> None:
    assert drawing_amount("auto") == drawing_amount(0.5) == AMOUNT
    assert drawing_amount(0) == float("inf")
    assert drawing_amount(1) == 0


@pytest.mark.parametrize("fidelity", [-0.1, 1.5, float("nan")])
def test_other_fidelities_are_refused(weights: Path, fidelity: float) -> None:
    with pytest.raises(UsageError, match="fidelity must be auto or a number from 0 to 1"):
        make_restorer(weights, device="cpu", fidelity=fidelity)
