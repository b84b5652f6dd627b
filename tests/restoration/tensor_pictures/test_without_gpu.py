"""What is copied between a GPU and the CPU, shown by fake tensors without a GPU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from benchmarks.kernel_count import KernelCount
from tests.support.evidence import tiny_network
from tests.support.fake_device import replace_parameters
from tests.support.frames import random_frame
from vidrestore.colour.hdr import HLG, LINEAR, PQ
from vidrestore.daefr import COMPACT, Daefr
from vidrestore.evidence import TwoSizeEvidence
from vidrestore.faces.alignment import crop_region, similarity, template, transform_points
from vidrestore.faces.compositing import face_mask, head_mask
from vidrestore.faces.crop_place import region_of
from vidrestore.restoration import DaefrGenerator, NetworkRestorer, TemporalBlend, temporal_blend
from vidrestore.restoration.estimator import Estimator
from vidrestore.restoration.temporal_blend import numbers_on
from vidrestore.restoration.tensor_pictures import alignment, masks, motion_average, planes, restorer
from vidrestore.restoration.tensor_pictures.alignment import warp_faces
from vidrestore.restoration.tensor_pictures.colour_match import match_colour
from vidrestore.restoration.tensor_pictures.compositing import composite_tensors
from vidrestore.restoration.tensor_pictures.filters import _filter_matrix
from vidrestore.restoration.tensor_pictures.pictures import TensorFace
from vidrestore.restoration.tensor_pictures.resampling import _area_weights
from vidrestore.restoration.tensor_pictures.restorer import TensorRestorer
from vidrestore.types import AlignedFace

SIDE = 256
GPU = torch.device("cuda")
pytestmark = pytest.mark.filterwarnings("ignore:CUDA is not available")


class Copies:
    """Copies to and from a GPU that is not there; what comes back is zero, or true."""

    def __init__(self) -> None:
        self.there: list[tuple[torch.dtype, int]] = []
        """Type, and number of elements, of each copy to the GPU."""
        self.back: list[tuple[torch.dtype, int]] = []

    def pack(self, arrays: Sequence[np.ndarray], device: torch.device) -> Tensor:
        assert device.type == "cuda"
        return torch.from_numpy(np.stack(arrays))

    def upload(self, packed: Tensor, device: torch.device) -> Tensor:
        self.there.append((packed.dtype, packed.numel()))
        return packed.to(device)

    def to_device(self, arrays: Sequence[np.ndarray], device: torch.device) -> Tensor:
        return self.upload(self.pack(arrays, device), device)

    def download(self, tensors: Tensor) -> SimpleNamespace:
        back = self.arrays(tensors)
        return SimpleNamespace(arrays=lambda: back)

    def arrays(self, tensors: Tensor) -> list[np.ndarray]:
        self.back.append((tensors.dtype, tensors.numel()))
        assert tensors.device.type == "cuda"
        number: Any = {
            torch.uint8: np.uint8,
            torch.bool: np.bool_,
            torch.float32: np.float32,
            torch.int16: np.int16,
        }[tensors.dtype]
        return list(np.full(tensors.shape, tensors.dtype == torch.bool, number))


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> Iterator[Copies]:
    copies = Copies()
    for module in (alignment, motion_average, planes, restorer, temporal_blend):
        for name in ("pack", "upload", "to_device", "download"):
            monkeypatch.setattr(module, name, getattr(copies, name), raising=False)
    yield copies
    for cached in (numbers_on, _area_weights, _filter_matrix, masks.head_mask):
        cached.cache_clear()


@pytest.fixture
def on_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[TensorRestorer]:
    """Networks on a GPU that is not there."""
    monkeypatch.setattr(nn.Module, "_apply", replace_parameters)
    generator, evidence = Daefr(COMPACT).eval().requires_grad_(False), tiny_network()
    with FakeTensorMode(allow_non_fake_inputs=True):
        networks = NetworkRestorer(
            GPU,
            Estimator(TwoSizeEvidence(evidence), device=GPU, precision=torch.bfloat16),
            DaefrGenerator(generator, device=GPU, precision=torch.bfloat16, with_detail=True),
        )
        yield TensorRestorer(networks)


def test_between_the_networks_only_small_greys_and_flags_come_from_a_gpu(
    on_gpu: TensorRestorer, copies: Copies
) -> None:
    pixels, small = 3 * SIDE**2, (SIDE // 2) ** 2
    faces = [np.full((SIDE, SIDE, 3), level, np.float32) for level in (0.2, 0.5, 0.8)]
    blend = TemporalBlend(strength=1)
    estimates = on_gpu.estimate(faces)
    assert copies.there == [(torch.float32, 3 * pixels)]
    assert copies.back == [(torch.uint8, 3 * small), (torch.bool, 6)]

    averaged = blend.estimate(estimates[1], [(-1, estimates[0]), (1, estimates[2])])
    assert copies.there[1:] == [(torch.float32, 2 * 2 * small)]  # flows
    features = on_gpu.encode([averaged.mean, estimates[0].mean])
    drawn = on_gpu.decode(on_gpu.predict(features))
    assert copies.back[2:] == [(torch.uint8, 2 * small), (torch.bool, 1)]

    steady = blend.picture(drawn[0], [(1, drawn[1])])
    assert len(copies.there) == 3
    fused = on_gpu.fuse([(averaged, steady), (estimates[0], drawn[1])])
    assert len(fused) == 2
    assert copies.back[4:] == [(torch.float32, 2)]  # shares of drawn detail
    assert len(copies.there) == 3


@pytest.mark.parametrize("name", ["yuv420p", "yuv422p10le", "gbrp", "gray"])
def test_only_the_samples_around_a_face_are_copied_to_the_gpu(copies: Copies, name: str) -> None:
    frame = random_frame(name, 400, 300)
    place = similarity((template(120) + np.array([100, 60])).astype(np.float32), SIDE)
    x0, y0, x1, y1 = crop_region(frame, place, SIDE)
    with FakeTensorMode(allow_non_fake_inputs=True), KernelCount() as counted:
        (crop,) = warp_faces(frame, [(place, SIDE)], GPU)
    assert (crop.device.type, crop.shape, crop.dtype) == ("cuda", (3, SIDE, SIDE), torch.float32)
    assert copies.back == []
    steps, codes, *of_matrix = copies.there
    assert of_matrix == ([(torch.float32, 9), (torch.float32, 3)] if frame.format.family == "yuv" else [])
    assert steps == (torch.int32, 4 * SIDE)
    luma = (x1 - x0) * (y1 - y0)
    assert codes[0] == (torch.uint8 if frame.format.bit_depth == 8 else torch.int16)
    share = {"yuv420p": 1.5, "yuv422p10le": 2, "gbrp": 3, "gray": 1}[name]
    assert share * luma <= codes[1] < 1.06 * share * luma  # a sample more around chroma
    assert counted.total <= 30, counted.by_operation


@pytest.mark.parametrize("is_drawn", [False, True])
@pytest.mark.parametrize(
    ("name", "transfer"),
    [("yuv420p", 1), ("yuv422p10le", 1), ("yuv422p10le", PQ), ("yuv422p10le", HLG), ("gbrp", LINEAR)],
)
def test_compositing_copies_only_the_codes_of_the_faces_region(
    copies: Copies, name: str, transfer: int, is_drawn: bool
) -> None:
    frame = random_frame(name, 400, 300)
    frame = replace(frame, colour=replace(frame.colour, transfer=transfer, primaries=9))
    points = (template(120) + np.array([100, 60])).astype(np.float32)
    with FakeTensorMode(allow_non_fake_inputs=True):
        picture = torch.empty(3, SIDE, SIDE, device=GPU)
        place = AlignedFace(
            track_id=0,
            to_crop=similarity(points, SIDE),
            image=np.zeros((SIDE, SIDE, 3), np.float32),
            landmarks=points,
        )
        estimate = None if is_drawn else picture
        face = TensorFace(place=place, image=picture, estimate=estimate, original=picture, drawn=0.5)
        composite_tensors(frame, [face])
    mask = face_mask(transform_points(place.to_crop, points), SIDE) if is_drawn else head_mask(SIDE)
    region = region_of(mask, place.to_crop, frame)
    assert region is not None
    x0, y0, x1, y1 = region
    samples = sum(
        (-(-(y1 - y0) // (1 << down))) * (-(-(x1 - x0) // (1 << right)))
        for right, down in [(0, 0), *2 * [frame.format.chroma_shift]]
    )
    number = torch.uint8 if frame.format.bit_depth == 8 else torch.int16
    assert copies.there == copies.back == [(number, samples)]


def test_a_face_that_is_drawn_as_a_whole_is_matched_without_waiting() -> None:
    with FakeTensorMode(allow_non_fake_inputs=True):
        drawn, original = (torch.empty(3, SIDE, SIDE, device=GPU) for _ in range(2))
        matched = match_colour(drawn, original)
    assert (matched.device.type, matched.shape) == ("cuda", drawn.shape)
    _filter_matrix.cache_clear()
