"""Noise that is finer than a face's crop goes where the estimate has none; detail that is as fine stays."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.frames import make_frame
from vidrestore.colour.hdr import PQ
from vidrestore.colour.matrices import BT601_LUMA
from vidrestore.faces.alignment import similarity, template, warp_face
from vidrestore.faces.compositing import composite
from vidrestore.faces.finer_noise import noise_share, removed_share
from vidrestore.settings import Grain
from vidrestore.types import ColourTags, FloatArray, Frame, FrameFaces, Plane, RestoredFace

SIZE, WIDTH, HEIGHT = 64, 160, 140
GREY = 110
HEAD = (slice(65, 77), slice(75, 87))
"""Rows and columns of the frame where the mask of the head is 1."""


def points(scale: float = 1.0) -> FloatArray:
    """The five points of a face whose crop covers 64 / `scale` px of the frame, at fractions of pixels."""
    reach = SIZE / scale
    return (template(SIZE) / scale + np.array([80.37 - reach / 2, 70.61 - reach / 2])).astype(np.float32)


def noisy(seed: int = 1, *, level: float = GREY, deviation: float = 9) -> Plane:
    codes = level + deviation * np.random.default_rng(seed).normal(size=(HEIGHT, WIDTH))
    return np.rint(codes).clip(0, 255).astype(np.uint8)


def grey_frame(codes: Plane) -> Frame:
    return make_frame([codes], "gray", ColourTags(full_range=True))


def face_of(frame: Frame, estimate: FloatArray | float | None = None, *, scale: float = 1.0) -> RestoredFace:
    """A face that is restored to an estimate; None: to a soft copy of the footage."""
    to_crop = similarity(points(scale), SIZE)
    original = warp_face(frame, to_crop, SIZE)
    if estimate is None:
        estimate = np.asarray(cv2.GaussianBlur(original, (0, 0), 4), np.float32)
    shown = np.broadcast_to(np.float32(estimate), original.shape).astype(np.float32)
    return RestoredFace(
        track_id=0,
        to_crop=to_crop,
        image=shown,
        estimate=shown,
        original=original,
        landmarks=points(scale),
    )


def restored(frame: Frame, *faces: RestoredFace, grain: Grain = 0.0, strength: float = 1.0) -> Frame:
    return composite(FrameFaces(frame=frame, faces=faces), grain=grain, strength=strength)


def deviation(codes: Plane) -> float:
    return float(codes[HEAD].std())


@pytest.mark.parametrize("scale", [1.0, 1.6, 2.5])
def test_noise_goes_from_a_face_that_is_estimated_without_it(scale: float) -> None:
    frame = grey_frame(noisy())
    out = restored(frame, face_of(frame, GREY / 255, scale=scale)).planes[0]
    assert deviation(frame.planes[0]) > 8
    assert deviation(out) < 1
    assert abs(out[HEAD].mean() - GREY) < 0.5


def test_it_goes_from_chroma_too() -> None:
    small = np.random.default_rng(3).normal(128, 9, (2, HEIGHT // 2, WIDTH // 2))
    chroma = np.rint(small).clip(0, 255).astype(np.uint8)
    frame = make_frame([noisy(), *chroma], "yuv420p", ColourTags())
    face = face_of(frame)
    for plane, before in zip(restored(frame, face).planes[1:], chroma, strict=True):
        inside = (slice(31, 39), slice(36, 44))
        assert before[inside].std() > 7
        assert plane[inside].std() < 2.5


@pytest.mark.parametrize("grain", [0.5, 1.0])
def test_the_share_of_grain_that_is_kept_is_kept_of_the_finest_too(grain: float) -> None:
    frame = grey_frame(noisy())
    out = restored(frame, face_of(frame, GREY / 255), grain=grain).planes[0]
    assert deviation(out) == pytest.approx(grain * deviation(frame.planes[0]), rel=0.12)


def test_strength_is_the_share_of_the_noise_that_goes() -> None:
    frame = grey_frame(noisy())
    out = restored(frame, face_of(frame, GREY / 255), strength=0.5).planes[0]
    assert deviation(out) == pytest.approx(0.5 * deviation(frame.planes[0]), rel=0.1)


def test_two_heads_in_one_place_remove_it_once() -> None:
    frame = grey_frame(noisy())
    face = face_of(frame, GREY / 255)
    out = restored(frame, face, replace(face, track_id=1)).planes[0]
    assert deviation(out) < 1
    assert abs(out[HEAD].mean() - GREY) < 0.5


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_heads_that_overlap_keep_each_others_restoration(strength: float) -> None:
    frame = grey_frame(noisy())
    brighter = face_of(frame, (GREY + 40) / 255)
    out = restored(frame, brighter, replace(brighter, track_id=1), strength=strength).planes[0]
    kept = (1 - strength) ** 2
    assert out[HEAD].mean() == pytest.approx(GREY + 40 * (1 - kept), abs=1)
    assert deviation(out) == pytest.approx(kept * deviation(frame.planes[0]), abs=0.6)


def test_chroma_without_noise_stays_where_luma_is_noisy() -> None:
    chroma = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)
    chroma[:, ::2] = 148
    frame = make_frame([noisy(), chroma, chroma], "yuv420p", ColourTags())
    face = face_of(frame)
    assert face.estimate is not None
    luma = ((face.estimate - face.original) @ np.array(BT601_LUMA, np.float32))[..., None]
    out = restored(frame, face_of(frame, np.asarray((face.original + luma).clip(0, 1), np.float32)))
    assert deviation(out.planes[0]) < 2
    inside = (slice(33, 38), slice(38, 43))
    for plane in out.planes[1:]:
        assert np.abs(plane.astype(int) - chroma)[inside].max() <= 6


def test_fine_detail_in_a_few_places_of_a_clean_face_stays() -> None:
    codes = np.full((HEIGHT, WIDTH), GREY, np.uint8)
    codes[62:72, 72:82] = noisy(deviation=15)[62:72, 72:82]
    frame = grey_frame(codes)
    face = face_of(frame)
    assert face.estimate is not None
    assert not removed_share(face.original, face.estimate, 1.0).any()


def test_nothing_is_known_of_the_finest_detail_from_a_reduced_crop() -> None:
    frame = grey_frame(noisy())
    face = face_of(frame)
    assert face.estimate is not None
    assert removed_share(face.original, face.estimate, 1.0).max() > 0.8
    assert not removed_share(face.original, face.estimate, 0.5).any()


def test_of_a_residual_only_what_is_as_strong_as_in_most_of_the_face_is_noise() -> None:
    residual = np.random.default_rng(2).normal(0, 4 / 255, (80, 80)).astype(np.float32)
    residual[30:50, 30:50] *= 5
    share = noise_share(residual, np.ones((80, 80), bool))
    assert share is not None
    assert share[5:20, 5:20].min() > 0.95
    assert share[36:44, 36:44].max() < 0.1


def test_a_residual_without_noise_stays() -> None:
    weak = np.random.default_rng(2).normal(0, 0.5 / 255, (80, 80)).astype(np.float32)
    assert noise_share(weak, np.ones((80, 80), bool)) is None
    assert noise_share(40 * weak, np.zeros((80, 80), bool)) is None


def test_detail_as_fine_as_the_frames_pixels_stays_where_the_estimate_keeps_that_of_the_crop() -> None:
    frame = grey_frame(noisy())
    face = face_of(frame, face_of(frame).original + np.float32(20 / 255))
    out = restored(frame, face).planes[0].astype(int)
    assert np.abs((out - frame.planes[0])[HEAD] - 20).max() <= 1


def test_sharpened_detail_stays_and_grows() -> None:
    frame = grey_frame(noisy(deviation=5))
    original = face_of(frame).original
    sharp = (original + 0.5 * (original - cv2.GaussianBlur(original, (0, 0), 2))).clip(0, 1)
    out = restored(frame, face_of(frame, np.asarray(sharp, np.float32))).planes[0]
    assert deviation(out) > 1.1 * deviation(frame.planes[0])


def test_weak_grain_of_a_clean_picture_stays() -> None:
    frame = grey_frame(noisy(deviation=0.5))
    face = face_of(frame)
    assert face.estimate is not None
    assert removed_share(face.original, face.estimate, 1.0).max() < 0.1


def test_what_is_brighter_than_white_stays_brighter() -> None:
    chroma = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)
    frame = make_frame([noisy(level=238, deviation=5), chroma, chroma], "yuv420p", ColourTags())
    before = frame.planes[0].astype(int)
    after = restored(frame, face_of(frame)).planes[0].astype(int)
    above = np.zeros(before.shape, bool)
    above[HEAD] = before[HEAD] > 235
    assert above.sum() > 80
    # The crop ends at white, so what is above is not noise of the crop, and no estimate replaces it.
    assert (after[above] - 235 >= 0.9 * (before[above] - 235) - 4).all()
    assert after[above].mean() > 235


def test_tone_mapped_video_keeps_its_finest_detail() -> None:
    sdr = grey_frame(noisy())
    hdr = replace(sdr, colour=ColourTags(full_range=True, transfer=PQ))
    assert deviation(restored(sdr, face_of(sdr)).planes[0]) < 2
    assert deviation(restored(hdr, face_of(hdr)).planes[0]) > 2


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1000),
    scale=st.floats(0.1, 6),
    of_noise=st.floats(0, 0.3),
    of_blur=st.floats(0.3, 5),
    side=st.sampled_from([16, 64, 96]),
)
def test_shares_are_between_nothing_and_all_and_zero_where_the_estimate_is_the_original(
    seed: int, scale: float, of_noise: float, of_blur: float, side: int
) -> None:
    generator = np.random.default_rng(seed)
    film = (0.5 + of_noise * generator.normal(size=(side, side, 3))).clip(0, 1).astype(np.float32)
    clean = np.asarray(cv2.GaussianBlur(film, (0, 0), of_blur), np.float32)
    same = generator.random((side, side)) < 0.5
    clean[same] = film[same]
    share = removed_share(film, clean, scale)
    assert share.shape == (side, side)
    assert share.dtype == np.float32
    assert 0 <= share.min() <= share.max() <= 1
    assert not share[same].any()
    assert not removed_share(film, film, scale).any()
