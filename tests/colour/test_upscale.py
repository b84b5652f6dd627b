"""Enlarged frames are the closed form of the filter that the documents name, to the bit."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.support.frames import FORMATS, make_frame, random_frame
from tests.support.resampled import lanczos_plane
from vidrestore.colour.upscale import upscale_frame, upscale_plane
from vidrestore.colour.yuv_rgb import rgb_region
from vidrestore.types import ColourTags

LEFT, CENTRE, TOP_LEFT, BOTTOM = 1, 2, 3, 6


@pytest.mark.parametrize("factor", [2, 4])
@pytest.mark.parametrize("depth", [8, 10, 16])
def test_a_plane_is_lanczos_of_three_lobes_to_the_bit(factor: int, depth: int) -> None:
    peak = (1 << depth) - 1
    plane = np.random.default_rng(depth).integers(0, peak + 1, (23, 31))
    plane = plane.astype(np.uint8 if depth == 8 else np.uint16)
    enlarged = upscale_plane(plane, factor, peak=peak)
    assert enlarged.dtype == plane.dtype
    np.testing.assert_array_equal(enlarged, lanczos_plane(plane, factor, peak))


def test_an_enlarged_plane_equals_lanczos_by_pillow_away_from_the_edges() -> None:
    plane = np.random.default_rng(1).integers(30, 220, (40, 50)).astype(np.uint8)
    other = np.asarray(Image.fromarray(plane.astype(np.float32)).resize((100, 80), Image.Resampling.LANCZOS))
    inner = (slice(8, -8), slice(8, -8))
    enlarged = upscale_plane(plane, 2, peak=255)[inner].astype(np.float64)
    assert np.abs(enlarged - np.clip(other[inner], 0, 255)).max() <= 0.5001


@pytest.mark.parametrize(
    ("siting", "across", "down"),
    [(0, 0.25, 0.5), (LEFT, 0.25, 0.5), (CENTRE, 0.5, 0.5), (TOP_LEFT, 0.25, 0.25), (BOTTOM, 0.5, 0.75)],
)
def test_chroma_keeps_its_siting(siting: int, across: float, down: float) -> None:
    frame = random_frame("yuv420p", 21, 13)
    frame = replace(frame, colour=ColourTags(matrix=1, siting=siting))
    enlarged = upscale_frame(frame, 2)
    np.testing.assert_array_equal(enlarged.planes[0], lanczos_plane(frame.planes[0], 2, 255))
    for before, after in zip(frame.planes[1:], enlarged.planes[1:], strict=True):
        expected = lanczos_plane(before, 2, 255, across=across, down=down)
        np.testing.assert_array_equal(after, expected[:13, :21])


@pytest.mark.parametrize("siting", [LEFT, CENTRE, TOP_LEFT, BOTTOM])
@pytest.mark.parametrize("factor", [2, 4])
def test_an_edge_of_colour_stays_where_the_edge_of_luma_is(siting: int, factor: int) -> None:
    """A ramp in luma and the same ramp in chroma stay one ramp: no plane moves against the others."""
    ramp = np.arange(64)
    luma = np.repeat((40 + 2 * ramp)[None], 64, 0).astype(np.uint8)
    shift = 0.5 if siting in (CENTRE, BOTTOM) else 0.0
    chroma = np.repeat((40 + 2 * (2 * np.arange(32) + shift))[None], 32, 0).astype(np.uint8)
    frame = make_frame([luma, chroma, chroma], "yuv420p", ColourTags(matrix=1, siting=siting))
    large = upscale_frame(frame, factor)
    at_luma = (np.arange(64 * factor) + 0.5) / factor - 0.5
    cells = (np.arange(32 * factor) * 2 + shift + 0.5) / factor - 0.5
    middle = slice(8 * factor, -8 * factor)
    assert np.abs(large.planes[0][40] - (40 + 2 * at_luma))[middle].max() <= 1
    assert np.abs(large.planes[1][20] - (40 + 2 * cells))[middle].max() <= 1


def test_flat_planes_stay_flat_at_every_depth() -> None:
    for depth in (8, 12, 16):
        peak = (1 << depth) - 1
        for code in (0, 1, peak // 3, peak):
            plane = np.full((5, 7), code, np.uint8 if depth == 8 else np.uint16)
            assert (upscale_plane(plane, 4, peak=peak) == code).all()


@pytest.mark.parametrize(("width", "height"), [(1, 1), (2, 3), (7, 5)])
@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_size_is_exactly_so_many_times_as_large(name: str, width: int, height: int) -> None:
    frame = random_frame(name, width, height)
    large = upscale_frame(frame, 2)
    assert (large.width, large.height) == (2 * width, 2 * height)
    sx, sy = frame.format.chroma_shift
    for plane in large.planes[1:]:
        assert plane.shape == (-(-2 * height >> sy), -(-2 * width >> sx))
    assert (large.pts, large.time_base, large.format) == (frame.pts, Fraction(1, 25), frame.format)


def test_enlarging_an_untagged_video_does_not_change_its_colour_matrix() -> None:
    """Without tags 480 lines are BT.601, and 960 would be BT.709."""
    grey: NDArray[np.uint8] = np.full((480, 16), 90, np.uint8)
    red = np.full((240, 8), 200, np.uint8)
    frame = make_frame([grey, red // 2, red], "yuv420p", ColourTags())
    large = upscale_frame(frame, 2)
    np.testing.assert_allclose(rgb_region(large, 0, 0, 8, 8), rgb_region(frame, 0, 0, 8, 8), atol=1e-6)
    assert large.colour.matrix == 6
    small = make_frame([grey[:100], red[:50], red[:50]], "yuv420p", ColourTags())
    assert upscale_frame(small, 2).colour == small.colour
