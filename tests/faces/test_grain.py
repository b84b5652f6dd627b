"""A restored face keeps as much of the film's own grain as is asked for, and nothing else that was wrong."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.frames import FORMATS, make_frame, random_frame
from vidrestore.faces.alignment import similarity, template, warp_face
from vidrestore.faces.compositing import composite
from vidrestore.faces.grain import _no_more_than_removed, extract_grain
from vidrestore.types import FloatArray, Frame, FrameFaces, Plane, RestoredFace

SIZE = 256
POINTS = (template(180) + np.array([50, 30])).astype(np.float32)
INSIDE = (slice(95, 165), slice(105, 175))
"""Pixels of the frame that are wholly under the mask."""
EVEN = np.full((SIZE, SIZE, 3), 120 / 255, np.float32)
STRENGTH = 9.0
"""Of the grain: its standard deviation in codes."""


def film(seed: int = 0, size: float = 0.7) -> Plane:
    """(240, 280) grey with soft grain."""
    noise = cv2.GaussianBlur(np.random.default_rng(seed).normal(size=(240, 280)), (0, 0), size)
    return np.rint(120 + STRENGTH * noise / noise.std()).astype(np.uint8)


def composited(frame: Frame, grain: float, image: FloatArray | None = None) -> Frame:
    """The frame, its face restored to `image`; to what it is, if there is none."""
    to_crop = similarity(POINTS, SIZE)
    original = warp_face(frame, to_crop, SIZE)
    image = original if image is None else image
    face = RestoredFace(
        track_id=0, to_crop=to_crop, image=image, estimate=None, original=original, landmarks=POINTS
    )
    return composite(FrameFaces(frame=frame, faces=(face,)), grain=grain)


def restored(plane: Plane, grain: float, clean: FloatArray = EVEN) -> np.ndarray:
    """The luma of a frame whose face was restored to `clean`."""
    return composited(make_frame([plane], "gray"), grain, clean).planes[0].astype(float)


def kept(plane: Plane, grain: float) -> float:
    """The share of the frame's fine detail that is there still."""
    before, after = plane[INSIDE].astype(float), restored(plane, grain)[INSIDE]
    return float(np.cov(before.ravel(), after.ravel())[0, 1] / before.var())


@pytest.mark.parametrize(("size", "finer_than_the_crop"), [(0.5, 0.4), (0.8, 0.2), (1.2, 0.1)])
def test_as_much_of_the_grain_stays_as_is_requested(size: float, finer_than_the_crop: float) -> None:
    plane = film(size=size)
    none, half, whole = (kept(plane, grain) for grain in (0.0, 0.5, 1.0))
    assert none < finer_than_the_crop  # which always stays
    assert 0.7 < whole < 1
    assert half == pytest.approx((none + whole) / 2, abs=0.03)


def test_no_grain_is_added_to_a_picture_without_grain() -> None:
    rows, columns = np.mgrid[:240, :280]
    smooth = np.rint(120 + 30 * np.sin(columns / 40) + rows / 12).astype(np.uint8)
    smooth[120:140, 110:170] = 40  # an edge, as sharp as can be, is none
    assert np.abs(restored(smooth, 1.0) - restored(smooth, 0.0))[INSIDE].max() <= 2


def test_a_scratch_and_dust_are_no_grain() -> None:
    plane = film()
    plane[:, 140] = 250
    plane[120:123, 120:123] = 5
    back = restored(plane, 1.0)[INSIDE] - restored(plane, 0.0)[INSIDE]
    assert np.abs(back).max() < 2.7 * STRENGTH  # they are 14 and 13 times as strong as the grain


def test_the_restored_detail_stays_under_the_grain() -> None:
    stripes = (0.2 * np.sin(np.arange(SIZE) / 3)).astype(np.float32)[:, None, None] + np.zeros(
        (1, SIZE, 3), np.float32
    )
    clean = np.float32(120 / 255) + stripes
    with_grain, without = (restored(film(), grain, clean)[INSIDE] for grain in (1.0, 0.0))
    assert np.corrcoef(with_grain.mean(1), without.mean(1))[0, 1] > 0.99
    assert with_grain.std(1).mean() > 2 * without.std(1).mean()


@pytest.mark.parametrize("name", list(FORMATS))
def test_what_the_restored_face_shows_already_is_not_added_again(name: str) -> None:
    frame = random_frame(name, 280, 240)
    out = composited(frame, 1.0)
    for before, after in zip(frame.planes, out.planes, strict=True):
        assert np.array_equal(after, before)


def test_no_more_grain_is_kept_than_was_taken_away() -> None:
    plane = film()
    to_crop = similarity(POINTS, SIZE)
    original = warp_face(make_frame([plane], "gray"), to_crop, SIZE)
    half = (original + EVEN) / 2
    kept = extract_grain(original, half, np.ones((SIZE, SIZE), np.float32))
    assert 0.5 * np.std(original - half) < np.std(kept) < 1.02 * np.std(original - half)


def test_grain_of_grey_footage_stays_grey() -> None:
    chroma = np.full((120, 140), 128, np.uint8)
    frame = make_frame([film(), chroma, chroma], "yuv420p")
    out = composited(frame, 1.0, EVEN)
    assert out.planes[0][INSIDE].std() > 0.7 * film()[INSIDE].std()
    assert all((np.abs(plane.astype(int) - 128) <= 1).all() for plane in out.planes[1:])


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    strength=st.floats(0, 0.2),
    covered=st.floats(0, 1),
)
def test_grain_is_about_zero_and_bounded_whatever_the_face(
    seed: int, strength: float, covered: float
) -> None:
    rng = np.random.default_rng(seed)
    face = np.clip(0.5 + strength * rng.normal(size=(64, 64, 3)), 0, 1).astype(np.float32)
    clean = cv2.GaussianBlur(face, (0, 0), 1.0) if seed % 2 else rng.random((64, 64, 3), dtype=np.float32)
    mask = (rng.random((64, 64)) < covered).astype(np.float32)
    grain = extract_grain(face, clean, mask)
    assert grain.dtype == np.float32
    assert grain.shape == face.shape
    assert np.isfinite(grain).all()
    assert abs(float(grain.mean())) < 0.01
    assert np.abs(grain).max() <= 1


def test_the_grain_factor_is_finite_where_nothing_was_removed() -> None:
    """Sums over windows round below zero where nothing is left of what they slid over."""
    rng = np.random.default_rng(3)
    removed = np.zeros((1024, 1024, 3), np.float32)
    removed[200:500, 200:500] = rng.normal(0, 0.2, (300, 300, 3))
    factor = _no_more_than_removed(np.full_like(removed, 0.01), removed)
    assert np.isfinite(factor).all()
    assert factor.min() >= 0
