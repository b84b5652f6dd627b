"""Deflicker brings a face's brightness to its mean over the neighbouring frames."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest

from vidrestore.faces.compositing import composite
from vidrestore.restoration import deflicker
from vidrestore.types import AlignedFace, ColourTags, Frame, FrameFaces, PixelFormat, RestoredFace

SIDE = 32
GREY = PixelFormat(name="gray", family="gray", bit_depth=8)


def frames(brightness: Sequence[float], scenes: Sequence[int] | None = None) -> list[FrameFaces[AlignedFace]]:
    """A flat face of the given brightness (0..1) in each frame."""
    result = []
    for i, value in enumerate(brightness):
        frame = Frame(
            index=i, pts=i, duration=1, time_base=Fraction(1, 25), format=GREY,
            planes=(np.full((SIDE, SIDE), round(255 * value), np.uint8),), colour=ColourTags(full_range=True),
        )  # fmt: skip
        face = AlignedFace(
            track_id=0,
            to_crop=np.eye(2, 3),
            image=np.full((SIDE, SIDE, 3), value, np.float32),
            landmarks=np.array([[10, 12], [22, 12], [16, 18], [11, 24], [21, 24]], np.float32),
        )
        result.append(FrameFaces(frame=frame, faces=(face,), scene=scenes[i] if scenes else 0))
    return result


def steadied(items: list[FrameFaces[AlignedFace]]) -> np.ndarray:
    return np.array([item.faces[0].gain * item.faces[0].image.mean() for item in deflicker(items)])


def test_deflicker_reduces_flicker_of_brightness_to_a_fifth() -> None:
    rng = np.random.default_rng(0)
    values = 0.5 * (1 + 0.08 * np.sin(2.1 * np.arange(80)) + 0.02 * rng.standard_normal(80))
    assert steadied(frames(values)).std() < 0.2 * values.std()


def test_deflicker_keeps_a_fade_up_to_both_ends() -> None:
    values = np.linspace(0.2, 0.8, 60)
    assert steadied(frames(values)) == pytest.approx(values, rel=0.04)


def test_light_of_one_scene_does_not_reach_into_the_next() -> None:
    values = [0.3] * 20 + [0.7] * 20
    assert steadied(frames(values, [0] * 20 + [1] * 20)) == pytest.approx(np.array(values), rel=1e-5)


def test_few_frames_are_left_as_they_are_and_a_black_one_does_no_harm() -> None:
    assert steadied(frames([0.3, 0.5, 0.3])) == pytest.approx([0.3, 0.5, 0.3])
    gains = [item.faces[0].gain for item in deflicker(frames([0.5] * 10 + [0.0] + [0.5] * 10))]
    assert max(gains) <= 1.5
    assert min(gains) > 0.6


def test_the_deflickered_brightness_is_composited() -> None:
    (item,) = frames([0.4])
    (face,) = item.faces
    restored = RestoredFace(
        track_id=0, to_crop=face.to_crop, image=face.image * 1.25, estimate=None, original=face.image,
        landmarks=face.landmarks, gain=1.25,
    )  # fmt: skip
    frame = composite(FrameFaces(frame=item.frame, faces=(restored,)))
    assert frame.planes[0][17, 16] == pytest.approx(0.5 * 255, abs=2)
    assert frame.planes[0][0, 0] == round(0.4 * 255)
