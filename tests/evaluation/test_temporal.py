"""Temporal metrics on clips whose flicker and motion are known."""

from __future__ import annotations

import weakref
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidrestore.evaluation.temporal import flicker, landmark_jitter, truth_motion, warping_error
from vidrestore.types import FloatArray

_SIZE = 64


def _texture(size: int = 128) -> FloatArray:
    noise = np.random.default_rng(3).normal(0, 1, (size, size, 3))
    smooth = cv2.GaussianBlur(noise, (0, 0), 2.5)
    return np.asarray((0.5 + 0.12 * smooth / smooth.std()).clip(0.1, 0.9), np.float32)


def _moving(frames: int, step: int = 2) -> list[FloatArray]:
    """A window sliding over a texture."""
    texture = _texture()
    return [texture[20 : 20 + _SIZE, 10 + step * t : 10 + step * t + _SIZE].copy() for t in range(frames)]


def _still(frames: int) -> list[FloatArray]:
    return [_moving(1)[0]] * frames


def test_a_constant_error_does_not_flicker() -> None:
    truth = _moving(5)
    restored = [0.5 * np.float32(0.2) + frame for frame in truth]
    assert flicker(restored, truth) == pytest.approx(0, abs=1e-6)


@given(amplitude=st.floats(0.001, 0.2))
def test_an_error_that_changes_its_sign_flickers_by_twice_its_size(amplitude: float) -> None:
    truth = _still(4)
    restored = [frame + np.float32((-1) ** t * amplitude) for t, frame in enumerate(truth)]
    assert flicker(restored, truth) == pytest.approx(2 * amplitude, rel=1e-3)


def test_the_truths_own_motion_is_no_flicker() -> None:
    assert flicker(_moving(5), _moving(5)) == 0
    assert flicker(_still(5), _moving(5)) > 0.02


def test_warping_error_of_a_changing_sign_is_its_square() -> None:
    truth = _still(4)
    restored = [frame + np.float32((-1) ** t * 0.05) for t, frame in enumerate(truth)]
    assert warping_error(restored, truth) == pytest.approx(0.1**2, rel=1e-3)


def test_warping_error_follows_the_truths_motion() -> None:
    moving = _moving(5)
    assert warping_error(moving, moving) < 1e-4
    assert warping_error(_still(5), moving) > 20 * warping_error(moving, moving)


def test_the_motion_of_a_sliding_window_is_its_step() -> None:
    before, now = _moving(2, step=3)
    motion = truth_motion(before, now)
    inner = motion.flow[12:-12, 12:-12]
    assert np.median(inner[..., 0]) == pytest.approx(3, abs=0.1)
    assert np.median(inner[..., 1]) == pytest.approx(0, abs=0.1)
    assert motion.visible[12:-12, 12:-12].mean() > 0.95
    assert not motion.visible[:, -2:].any(), "these columns have just come into the picture"


def test_background_that_was_just_uncovered_is_not_marked_as_visible() -> None:
    """A square uncovers background; an error painted on just that background goes unseen."""
    texture = _texture()[:_SIZE, :_SIZE]
    other = _texture()[60 : 60 + 20, 60 : 60 + 20] * np.float32(0.5)
    truth = [texture.copy(), texture.copy()]
    truth[0][20:40, 20:40] = other
    truth[1][20:40, 26:46] = other
    visible = truth_motion(*truth).visible
    assert visible[21:39, 21:25].mean() < 0.5
    assert visible[:14].mean() > 0.95


def test_landmark_jitter_ignores_steady_motion() -> None:
    points = np.arange(10, dtype=np.float32).reshape(5, 2)
    assert landmark_jitter([points + 1.5 * t for t in range(6)]) == pytest.approx(0, abs=1e-5)


def test_landmark_jitter_of_a_zigzag_is_four_times_its_amplitude() -> None:
    points = np.zeros((5, 2), np.float32)
    zigzag = [points + np.array([0.5 * (-1) ** t, 0], np.float32) for t in range(6)]
    assert landmark_jitter(zigzag) == pytest.approx(2.0)


def test_too_few_frames_are_refused() -> None:
    with pytest.raises(ValueError, match="two frames"):
        flicker(_moving(1), _moving(1))
    with pytest.raises(ValueError, match="three frames"):
        landmark_jitter([np.zeros((5, 2), np.float32)] * 2)


def test_clips_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="longer"):
        flicker(_moving(4), _moving(5))


def test_at_most_three_frames_are_held_in_memory() -> None:
    held: list[weakref.ref[FloatArray]] = []
    most = 0

    def frames() -> Iterator[FloatArray]:
        nonlocal most
        for t in range(40):
            frame = np.full((16, 16, 3), t / 40, np.float32)
            held.append(weakref.ref(frame))
            yield frame
            del frame
            most = max(most, sum(ref() is not None for ref in held))

    flicker(frames(), (np.zeros((16, 16, 3), np.float32) for _ in range(40)))
    assert most <= 3
