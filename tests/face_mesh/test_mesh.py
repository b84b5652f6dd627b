"""The face mesh sees open and shut mouths, where they are."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support.shared import ROOT, SHARED, needs_shared
from vidrestore.errors import WeightsError
from vidrestore.face_mesh import make_face_mesh, mouth_opening
from vidrestore.face_mesh.network import load_face_mesh_network
from vidrestore.faces.alignment import template
from vidrestore.types import FloatArray

_MOUTH_CORNERS = [61, 291]
"""Of the 468 points: left and right as seen in the picture."""


def read_face(path: Path, border: int = 0) -> FloatArray:
    picture = cv2.imread(str(path))
    assert picture is not None
    inner = picture[border : picture.shape[0] - border, border : picture.shape[1] - border, ::-1]
    return np.ascontiguousarray(inner, np.float32) / 255


@pytest.mark.parametrize("side", [256, 400])
def test_the_mouth_lies_where_the_alignment_puts_it(side: int) -> None:
    face = read_face(ROOT / "tests" / "golden" / "old_film_truth_012.jpg")
    resized = np.asarray(cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA), np.float32)
    points = make_face_mesh("cpu").points([resized])[0]
    assert points.shape == (468, 2)
    assert points[_MOUTH_CORNERS] == pytest.approx(template(1)[3:], abs=0.04)


def test_the_mouth_opening_is_the_distance_of_the_lips_in_mouth_widths() -> None:
    points = np.zeros((468, 2), np.float32)
    points[78], points[308] = (0.4, 0.7), (0.6, 0.7)
    points[13], points[14] = (0.5, 0.68), (0.5, 0.74)
    assert mouth_opening(points) == pytest.approx(0.3, abs=1e-5)


@needs_shared
def test_mouth_openings_of_photographs_agree_with_the_manifest() -> None:
    with (SHARED / "faces" / "manifest.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["mouth"]][:60:3]
    faces = [read_face(SHARED / "faces" / row["file"], 16) for row in rows]
    measured = [mouth_opening(points) for points in make_face_mesh("cpu").points(faces)]
    assert np.corrcoef(measured, [float(row["mouth"]) for row in rows])[0, 1] > 0.98


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="face mesh network"):
        load_face_mesh_network(tmp_path / "missing.safetensors")
