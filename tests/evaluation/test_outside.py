"""What changes outside the faces' squares is counted to the sample, what changes inside is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.support.frames import random_frame
from vidrestore.evaluation.outside import change_outside
from vidrestore.faces.alignment import template
from vidrestore.types import Frame, TrackedFace


def face_at(x: float, y: float, side: float) -> TrackedFace:
    """A face whose aligned square has this upper left corner and side."""
    points = (template(256) * side / 256 + np.array([x, y])).astype(np.float32)
    box = np.array([x, y, x + side, y + side], np.float32)
    return TrackedFace(track_id=0, box=box, landmarks=points, score=1.0, observed=True)


def changed(frame: Frame, plane: int, row: int, column: int, by: int) -> Frame:
    planes = [p.copy() for p in frame.planes]
    planes[plane][row, column] = planes[plane][row, column] - by
    return replace(frame, planes=tuple(planes))


@pytest.mark.parametrize("name", ["yuv420p", "yuv422p10le", "gbrp", "gray"])
def test_equal_frames_have_not_changed(name: str) -> None:
    frame = random_frame(name, 96, 64)
    assert change_outside(frame, frame, [face_at(20, 10, 30)]) == {
        "changed_outside": 0.0, "change_outside": 0.0,
    }  # fmt: skip


def test_only_changed_samples_outside_the_faces_are_counted() -> None:
    frame, faces = random_frame("yuv420p", 96, 64), [face_at(30, 10, 40)]
    inside = changed(frame, 0, 30, 50, 7)
    assert change_outside(inside, frame, faces)["change_outside"] == 0
    outside = changed(inside, 0, 60, 5, 7)
    found = change_outside(outside, frame, faces)
    assert found["change_outside"] == 7
    # The square of 40 and a margin of 2 on each side, whole chroma cells.
    covered = 45 * 45
    assert found["changed_outside"] == pytest.approx(100 / (96 * 64 * 1.5 - 1.5 * covered), rel=0.02)


def test_chroma_counts_and_deep_codes_are_measured_in_codes_of_eight_bits() -> None:
    frame = random_frame("yuv422p10le", 96, 64)
    found = change_outside(changed(frame, 2, 3, 4, 8), frame, [])
    assert found["change_outside"] == 2
    assert found["changed_outside"] == pytest.approx(100 / (96 * 64 * 2))


def test_frames_of_two_formats_are_compared_as_colours() -> None:
    grey = random_frame("gray", 32, 32)
    rgb = random_frame("gbrp", 32, 32)
    assert change_outside(rgb, grey, [])["changed_outside"] > 50


def test_nothing_is_measured_if_a_face_fills_the_frame() -> None:
    frame = random_frame("gray", 32, 32)
    assert change_outside(frame, frame, [face_at(-50, -50, 200)]) == {}
