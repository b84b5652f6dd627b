"""Boxes are compared without a warning, however large; the first proposals of flat pictures may be huge."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from vidrestore.faces.boxes import overlap


def test_huge_boxes_overlap_without_a_warning() -> None:
    box = np.array([0, 0, 3e19, 3e19], np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert overlap(box, box) == pytest.approx(1)
        assert overlap(box, np.array([0, 0, 4, 4], np.float32)) == pytest.approx(0)
