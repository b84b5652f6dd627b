"""What a face asks of a GPU, counted without one: fake tensors have a device and a shape, but no data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from benchmarks.fake_device import replace_parameters
from benchmarks.kernel_count import KernelCount, count_kernels
from vidrestore.daefr import COMPACT, PUBLISHED, Daefr, DaefrConfig
from vidrestore.restoration import DaefrGenerator, FaceCodes, FaceFeatures, TemporalBlend
from vidrestore.restoration.batched_blend import blend_codes, blend_features
from vidrestore.types import FloatArray

GPU = torch.device("cuda")
NETWORKS = {"published": PUBLISHED, "compact": COMPACT}
BATCH = 16
BLEND = TemporalBlend(strength=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of the generator on a batch of faces."""

    name: str
    faces: int
    count: KernelCount

    def to_dict(self) -> dict[str, float]:
        """The counts of one face; the peak is of the whole batch divided by its faces."""
        return {
            "kernels": self.count.total / self.faces,
            "layout_copies": self.count.layout_copies / self.faces,
            "gflop": self.count.flop / self.faces / 1e9,
            "megabytes_moved": self.count.bytes / self.faces / 1e6,
            "peak_megabytes": self.count.peak_bytes / self.faces / 1e6,
        }


def steps(name: str, *, batch: int = BATCH, blends_together: bool = True) -> list[Step]:
    """The steps of a network on a GPU that is not there, in bfloat16.

    Args:
        name: published or compact.
        batch: Faces of a batch.
        blends_together: False: faces are blended one after another, as on a CPU.
    """
    with _pretended_gpu():
        return _steps(NETWORKS[name], batch, blends_together)


def _steps(config: DaefrConfig, batch: int, blends_together: bool) -> list[Step]:
    network = Daefr(config).eval().requires_grad_(False)
    side = config.image_size
    generator = DaefrGenerator(
        network, device=GPU, precision=torch.bfloat16, look_up="soft", with_detail=config is COMPACT
    )
    pictures: list[FloatArray] = [np.zeros((side, side, 3), np.float32)] * batch
    found: list[Step] = []

    def count(step: str, run: Callable[[], Any]) -> Any:
        results: list[Any] = []
        found.append(Step(name=step, faces=batch, count=count_kernels(lambda: results.append(run()))))
        return results[0]

    features: list[FaceFeatures] = count("encode", lambda: generator.encode(pictures))
    around = [(face, _around(features, BLEND.offsets)) for face in features]
    if blends_together:
        features = count("blend features", lambda: blend_features(BLEND, around))
    else:
        features = count("blend features", lambda: [BLEND.features(*each) for each in around])
    codes: list[FaceCodes] = count("predict", lambda: generator.predict(features))
    with_codes = [(face, _around(codes, BLEND.code_offsets)) for face in codes]
    if blends_together:
        codes = count("blend codes", lambda: blend_codes(BLEND, with_codes))
    else:
        codes = count("blend codes", lambda: [BLEND.codes(*each) for each in with_codes])
    count("decode", lambda: generator.decode(codes))
    return found


def _around(faces: Sequence[Any], offsets: tuple[int, ...]) -> list[tuple[int, Any]]:
    """Neighbours on both sides; which ones they are does not matter to the counts."""
    return [(sign * away, faces[away % len(faces)]) for away in offsets for sign in (-1, 1)]


@contextmanager
def _pretended_gpu() -> Iterator[None]:
    """Fake tensors in place of all others, and modules whose weights may be fake."""
    where = "vidrestore.restoration.generator"
    with (
        mock.patch.object(nn.Module, "_apply", replace_parameters),
        mock.patch(f"{where}.to_device", _to_device),  # fake memory cannot be pinned
        mock.patch(f"{where}.from_device", list),
        mock.patch("vidrestore.restoration.temporal_blend.to_device", _to_device),
        FakeTensorMode(allow_non_fake_inputs=True),
    ):
        yield


def _to_device(faces: Sequence[FloatArray], device: torch.device) -> Tensor:
    return torch.empty(len(faces), *faces[0].shape, device=device)
