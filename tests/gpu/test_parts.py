"""Parts of the work on a GPU compute what they replace. Skipped where there is none."""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from tests.support.framed_faces import frame_of, landmarks_of
from vidrestore.daefr.blocks import DoubledConv2d
from vidrestore.daefr.transposed_upsample import TransposedUpsample
from vidrestore.faces.alignment import face_to_crop, warp_face
from vidrestore.restoration.pinned_copies import from_device
from vidrestore.restoration.tensor_pictures.alignment import warp_faces
from vidrestore.runtime.device import exact_float32, half_precision, resolve_precision
from vidrestore.runtime.launching_thread import launching_thread
from vidrestore.types import ColourTags, Orientation, PixelFormat

FORMATS = [
    PixelFormat(name="any", family="yuv", bit_depth=8, chroma_shift=(1, 1)),
    PixelFormat(name="any", family="yuv", bit_depth=10, chroma_shift=(1, 0)),
    PixelFormat(name="any", family="rgb", bit_depth=16),
    PixelFormat(name="any", family="gray", bit_depth=8),
]


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: f"{form.family}{form.bit_depth}")
@pytest.mark.parametrize("angle", [0.1, 3.0])
@pytest.mark.parametrize("reach", [20, 70, 300])
def test_a_face_is_cut_out_as_by_opencv(
    device: torch.device, form: PixelFormat, angle: float, reach: float
) -> None:
    if device.type == "mps":
        pytest.skip("pictures do not stay on Apple's GPU")
    frame = frame_of(form, ColourTags(siting=1), Orientation(), 1)
    to_crop = face_to_crop(frame, landmarks_of((80, 60), angle, reach), 64)
    (crop,) = warp_faces(frame, [(to_crop, 64)], device)
    (found,) = from_device(crop.permute(1, 2, 0)[None])
    assert np.abs(found - warp_face(frame, to_crop, 64)).max() < 0.1 / 255


def test_callers_in_several_threads_get_their_own_crops(device: torch.device) -> None:
    if device.type == "mps":
        pytest.skip("pictures do not stay on Apple's GPU")
    frame = frame_of(FORMATS[0], ColourTags(), Orientation(), 1)
    crops = [(face_to_crop(frame, landmarks_of((80, 60), n / 4, 70), 64), 64) for n in range(32)]

    def cut_out(number: int) -> float:
        (crop,) = warp_faces(frame, [crops[number]], device)
        (found,) = from_device(crop.permute(1, 2, 0)[None])
        return float(np.abs(found - warp_face(frame, *crops[number])).max())

    with launching_thread(device), ThreadPoolExecutor(8) as callers:
        assert max(callers.map(cut_out, range(32))) < 0.1 / 255


def test_a_transposed_convolution_upsamples_as_the_plain_one(device: torch.device) -> None:
    torch.manual_seed(0)
    plain = DoubledConv2d(64, 48).requires_grad_(False)
    x = torch.randn(2, 64, 17, 33)
    expected = plain(x)
    for precision in {torch.float32, half_precision(device), resolve_precision(device)}:
        there = copy.deepcopy(plain).to(device, precision, memory_format=torch.channels_last)  # type: ignore[call-overload]
        given = x.to(device, precision).contiguous(memory_format=torch.channels_last)
        with torch.inference_mode(), exact_float32(device):
            found = TransposedUpsample(there)(given)
        assert found.is_contiguous(memory_format=torch.channels_last) or device.type != "cuda"
        error = (found.float().cpu() - expected).norm() / expected.norm()
        assert error < (1e-5 if precision == torch.float32 else 2e-2), precision
