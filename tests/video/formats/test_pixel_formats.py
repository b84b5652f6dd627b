"""Stored formats and the planar ones they stand for."""

from __future__ import annotations

from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidrestore.errors import InputError
from vidrestore.video import describe_format
from vidrestore.video.formats.pixel_formats import pack, unpack


@pytest.mark.parametrize(
    ("stored", "planar", "family", "bits", "shift", "alpha"),
    [
        ("yuv420p", "yuv420p", "yuv", 8, (1, 1), False),
        ("yuvj422p", "yuv422p", "yuv", 8, (1, 0), False),
        ("yuv440p", "yuv440p", "yuv", 8, (0, 1), False),
        ("yuv410p", "yuv410p", "yuv", 8, (2, 2), False),
        ("nv12", "yuv420p", "yuv", 8, (1, 1), False),
        ("p010le", "yuv420p10le", "yuv", 10, (1, 1), False),
        ("p216le", "yuv422p16le", "yuv", 16, (1, 0), False),
        ("uyvy422", "yuv422p", "yuv", 8, (1, 0), False),
        ("rgb24", "gbrp", "rgb", 8, (0, 0), False),
        ("bgra", "gbrap", "rgb", 8, (0, 0), True),
        ("pal8", "gbrp", "rgb", 8, (0, 0), False),
        ("rgb48be", "gbrp16le", "rgb", 16, (0, 0), False),
        ("gray8", "gray", "gray", 8, (0, 0), False),
        ("gray10le", "gray10le", "gray", 10, (0, 0), False),
        ("yuva444p12le", "yuva444p12le", "yuv", 12, (0, 0), True),
        ("yuv420p10be", "yuv420p10le", "yuv", 10, (1, 1), False),
    ],
)
def test_each_format_names_its_planar_equal(
    stored: str, planar: str, family: str, bits: int, shift: tuple[int, int], alpha: bool
) -> None:
    described = describe_format(stored)
    assert (described.name, described.family, described.bit_depth) == (planar, family, bits)
    assert (described.chroma_shift, described.has_alpha) == (shift, alpha)


@pytest.mark.parametrize("name", ["no_such_format", "bayer_rggb8", "cuda"])
def test_what_has_no_planar_equal_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=name):
        describe_format(name)


@pytest.mark.parametrize("name", ["rgbf32le", "rgbaf16le", "gbrpf32be"])
def test_floats_that_are_not_supported_are_named_as_such(name: str) -> None:
    with pytest.raises(
        InputError, match=rf"floating-point samples \({name}\) .* convert it to 16 bits or to OpenEXR"
    ):
        describe_format(name)


_ROUND_TRIP = [
    *("yuv420p", "yuv410p", "yuv422p10le", "gray", "gray16le", "gbrap12le", "nv12", "nv21", "nv16", "nv24"),
    *("nv42", "p010le", "p012le", "p016le", "p210le", "p410le", "yuyv422", "uyvy422", "yvyu422", "y210le"),
    *("vuya", "xv36le", "rgb24", "bgr24", "rgb0", "bgr0", "0rgb", "argb", "abgr", "rgba", "bgra"),
    *("rgb48le", "rgba64be", "ayuv64le"),
]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(_ROUND_TRIP), st.integers(1, 40), st.integers(1, 9), st.integers(0, 2**31))
def test_packing_then_unpacking_gives_the_same_planes(name: str, width: int, height: int, seed: int) -> None:
    described = describe_format(name)
    right, down = described.chroma_shift
    rng = np.random.default_rng(seed)
    planes: list[Any] = []
    for number in range({"gray": 1}.get(described.family, 3) + described.has_alpha):
        chroma = number in (1, 2)
        shape = (-(-height >> down) if chroma else height, -(-width >> right) if chroma else width)
        dtype = np.uint8 if described.bit_depth == 8 else np.uint16
        planes.append(rng.integers(0, 1 << described.bit_depth, shape).astype(dtype))
    for plane, expected in zip(unpack(pack(planes, name)), planes, strict=True):
        np.testing.assert_array_equal(plane, expected)
        assert plane.dtype == expected.dtype


@pytest.mark.parametrize("name", ["nv12", "yuyv422", "uyvy422", "p010le", "bgra", "rgb24", "0bgr"])
def test_unpacking_agrees_with_ffmpeg(name: str) -> None:
    rng = np.random.default_rng(1)
    planar = describe_format(name)
    shapes = [(16, 32)] + [(16 >> planar.chroma_shift[1], 32 >> planar.chroma_shift[0])] * 2
    shapes += [(16, 32)] * planar.has_alpha
    dtype = np.uint8 if planar.bit_depth == 8 else np.uint16
    planes: list[Any] = [rng.integers(0, 1 << planar.bit_depth, shape).astype(dtype) for shape in shapes]
    stored: av.VideoFrame = pack(planes, planar.name).reformat(format=name)
    for plane, expected in zip(unpack(stored), planes, strict=True):
        np.testing.assert_array_equal(plane, expected)
