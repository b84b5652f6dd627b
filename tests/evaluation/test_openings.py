"""Lids that open show more dark rows, whatever the size of the face."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidrestore.evaluation.openings import lid_opening
from vidrestore.evaluation.regions import eye_regions, is_whole, mouth_region, pixels_of
from vidrestore.faces.alignment import template
from vidrestore.types import FloatArray


def drawn(height: float, side: int = 256) -> FloatArray:
    """A face whose irises are dark over `height` pixels of 256."""
    face = np.full((side, side, 3), 0.7, np.float32)
    for x, y in template(side)[:2]:
        axes = (round(8 * side / 256), max(round(height / 2 * side / 256), 1))
        cv2.ellipse(face, (round(x), round(y)), axes, 0, 0, 360, (0.1, 0.1, 0.1), -1)
    return face


def test_the_more_open_the_more_dark_rows() -> None:
    openings = [lid_opening(drawn(height), template(256)) for height in (2, 6, 10, 16)]
    assert openings == sorted(openings)
    assert openings[-1] > 4 * openings[0]


def test_the_size_of_the_face_does_not_matter() -> None:
    assert lid_opening(drawn(14, 512), template(512)) == pytest.approx(
        lid_opening(drawn(14), template(256)), rel=0.1
    )


def test_an_eye_outside_the_face_has_no_opening() -> None:
    assert np.isnan(lid_opening(drawn(10), template(256) - np.array([200, 0])))


def test_regions_lie_around_the_points_and_inside_the_face() -> None:
    points = template(256)
    left, right = eye_regions(points, 256)
    for region, (x, y) in zip((left, right, mouth_region(points, 256)), (*points[:2], points[3:].mean(0)),
                              strict=True):  # fmt: skip
        rows, columns = region
        assert rows.start < y < rows.stop
        assert columns.start < x < columns.stop
        assert is_whole(region)
    assert left[1].stop < right[1].start
    assert not is_whole(mouth_region(points + np.array([300, 0]), 256))


def test_all_pixels_of_the_regions_are_returned() -> None:
    face = np.arange(8 * 8 * 3, dtype=np.float32).reshape(8, 8, 3)
    row = pixels_of(face, ((slice(0, 2), slice(0, 3)), (slice(7, 8), slice(7, 8))))
    assert row.shape == (1, 7, 3)
    assert (row[0, -1] == face[7, 7]).all()
