"""Frames turned and mirrored as a player does it, and what is found there carried back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.support.frames import random_frame
from vidrestore.detection import detect
from vidrestore.faces.alignment import face_to_crop, similarity, template, transform_points, warp_face
from vidrestore.faces.compositing import side_by_side
from vidrestore.faces.orientation import detection_from_upright, upright_frame, upright_matrix
from vidrestore.types import UPRIGHT, Detection, Frame, Orientation

ORIENTATIONS = [Orientation(turn=turn, mirrored=m) for turn in (0, 90, 180, 270) for m in (False, True)]


def oriented(orientation: Orientation, name: str = "yuv422p10le") -> Frame:
    return replace(random_frame(name, 40, 30), orientation=orientation)


@pytest.mark.parametrize("orientation", ORIENTATIONS, ids=str)
def test_the_matrix_says_where_each_pixel_goes(orientation: Orientation) -> None:
    frame = oriented(orientation)
    shown = upright_frame(frame)
    assert shown.orientation == UPRIGHT
    for x, y in [(0, 0), (39, 0), (7, 29), (20, 11)]:
        u, v = np.rint(transform_points(upright_matrix(frame), np.array([[x, y]], float))[0]).astype(int)
        assert shown.planes[0][v, u] == frame.planes[0][y, x]


@pytest.mark.parametrize(
    ("orientation", "corner"),
    [
        (Orientation(turn=90), (-1, 0)),
        (Orientation(turn=180), (-1, -1)),
        (Orientation(turn=270), (0, -1)),
        (Orientation(mirrored=True), (0, -1)),
    ],
    ids=str,
)
def test_the_coded_top_left_pixel_is_shown_where_a_player_puts_it(
    orientation: Orientation, corner: tuple[int, int]
) -> None:
    frame = oriented(orientation)
    assert upright_frame(frame).planes[0][corner] == frame.planes[0][0, 0]


@pytest.mark.parametrize("orientation", ORIENTATIONS, ids=str)
def test_a_detection_in_the_upright_frame_covers_the_same_stored_pixels(orientation: Orientation) -> None:
    frame = oriented(orientation)
    box = np.array([3, 5, 17, 12], np.float32)
    points = np.arange(10, dtype=np.float32).reshape(5, 2)
    found = detection_from_upright(Detection(box=box, landmarks=points, score=0.9), frame)
    x0, y0, x1, y1 = np.rint(found.box).astype(int)
    there = upright_frame(frame).planes[0][5:12, 3:17]
    here = frame.planes[0][y0:y1, x0:x1]
    assert sorted(here.ravel()) == sorted(there.ravel())
    assert transform_points(upright_matrix(frame), found.landmarks) == pytest.approx(points, abs=1e-4)


@pytest.mark.parametrize("orientation", ORIENTATIONS, ids=str)
def test_a_face_is_cut_out_as_a_viewer_sees_it(orientation: Orientation) -> None:
    frame = oriented(orientation, "yuv444p")
    shown = upright_frame(frame)
    points = (template(14) + 9).astype(np.float32)
    there = Detection(box=np.array([8, 8, 24, 24], np.float32), landmarks=points, score=1.0)
    landmarks = detection_from_upright(there, frame).landmarks
    expected = warp_face(shown, similarity(points, 32), 32)
    assert warp_face(frame, face_to_crop(frame, landmarks, 32), 32) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("orientation", ORIENTATIONS, ids=str)
def test_a_comparison_shows_the_original_on_the_left(orientation: Orientation) -> None:
    original, restored = (
        replace(random_frame("yuv420p", 38, 30, seed), orientation=orientation) for seed in (0, 1)
    )
    shown = upright_frame(side_by_side(original, restored))
    left, right = upright_frame(original), upright_frame(restored)
    for plane, a, b in zip(shown.planes, left.planes, right.planes, strict=True):
        np.testing.assert_array_equal(plane, np.concatenate([a, b], axis=1))


class Recorder:
    """A detector that keeps what it was shown and says there is a face at a fixed place."""

    def __init__(self) -> None:
        self.shown: list[Frame] = []

    def detect(
        self, frame: Frame, *, search: str = "thorough", existing: Sequence[Detection] = ()
    ) -> tuple[Detection, ...]:
        self.shown.append(frame)
        box = np.array([2, 2, 29, 29], np.float32)
        return (Detection(box=box, landmarks=(template(20) + 4).astype(np.float32), score=1.0),)

    def follow(self, frame: Frame, previous: Any) -> tuple[Detection, ...]:
        return tuple(previous)


@pytest.mark.parametrize("orientation", ORIENTATIONS, ids=str)
def test_the_detector_sees_upright_frames_and_the_stages_behind_it_coded_ones(
    orientation: Orientation,
) -> None:
    frame, detector = oriented(orientation), Recorder()
    (item,) = detect([frame], detector)
    assert np.array_equal(detector.shown[0].planes[0], upright_frame(frame).planes[0])
    assert item.frame is frame
    assert transform_points(upright_matrix(frame), item.faces[0].landmarks) == pytest.approx(
        template(20) + 4, abs=1e-4
    )
