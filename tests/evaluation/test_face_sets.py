"""FID inside an evaluation: sets of faces against the truth's, by the user's copy of the network."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from vidrestore.evaluation.face_sets import FaceSets
from vidrestore.evaluation.face_views import FaceView
from vidrestore.evaluation.left_out import LeftOut
from vidrestore.evaluation.measures import Subject
from vidrestore.types import FloatArray


class MeanColours:
    """A network whose features are a picture's mean colours."""

    def describe(self, pictures: list[FloatArray]) -> NDArray[np.float64]:
        return np.array([picture.mean(axis=(0, 1)) for picture in pictures])


def view(value: float, seed: int) -> FaceView:
    noise = np.random.default_rng(seed).random((8, 8, 3))
    points = np.zeros((5, 2))
    return FaceView(
        crop=(value + 0.1 * noise).astype(np.float32),
        placed=points,
        points=None,
        shown=None,
        descriptor=np.zeros(128, np.float32),
        mouth=0.0,
        lids=0.0,
    )


def faces(seed: int, *, away: float) -> dict[Subject, FaceView]:
    value = float(np.random.default_rng(seed).random()) / 2
    return {"result": view(value + away, seed), "truth": view(value, seed), "input": view(value + 0.4, seed)}


def sets(count: int, *, away: float = 0.1) -> FaceSets:
    found = FaceSets(MeanColours())  # type: ignore[arg-type]
    for seed in range(count):
        found.add(faces(seed, away=away))
    return found


def test_the_distance_of_shifted_sets_is_the_squared_shift() -> None:
    by_subject = {distance.subject: distance for distance in sets(6).distances()}
    assert set(by_subject) == {"result", "input"}
    assert by_subject["result"].fid == pytest.approx(3 * 0.1**2, abs=1e-6)
    assert by_subject["input"].fid == pytest.approx(3 * 0.4**2, abs=1e-6)
    assert by_subject["result"].faces == 6


def test_equal_sets_have_no_distance() -> None:
    (result, _) = sets(4, away=0.0).distances()
    assert result.fid == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("count", [0, 1])
def test_the_distance_of_sets_is_left_out_for_fewer_than_two_faces(count: int) -> None:
    assert sets(count).distances() == ()
    (reason,) = sets(count).left_out
    assert "fewer than two" in reason.reason


def test_the_distance_of_sets_is_left_out_with_a_reason_without_a_network() -> None:
    missing = LeftOut(name="FID", reason="needs a network")
    found = FaceSets(missing)
    found.add(faces(0, away=0.1))
    assert found.distances() == ()
    assert found.left_out == (missing,)


def test_the_command_measures_fid_with_weights_that_the_user_names(tmp_path: Path) -> None:
    """Random weights: the value is none of FID's, the way to it is."""
    pytest.importorskip("torchvision")
    from tests.support.footage import face_pictures
    from vidrestore.cli import main
    from vidrestore.evaluation.inception import inception_network

    torch.manual_seed(0)
    torch.save(inception_network().state_dict(), tmp_path / "inception.pth")
    (tmp_path / "truth").mkdir()
    (tmp_path / "result").mkdir()
    for folder in ("truth", "result"):
        for number, picture in enumerate(face_pictures(3)[::2]):
            Image.fromarray(picture).save(tmp_path / folder / f"{number}.png")
    report = tmp_path / "report.json"
    words = ["evaluate", str(tmp_path / "result"), "--truth", str(tmp_path / "truth"), "--device", "cpu"]
    assert main([*words, "--inception", str(tmp_path / "inception.pth"), "--json", str(report), "-q"]) == 0
    (row,) = [r for r in json.loads(report.read_text())["summary"] if r["measure"] == "fid"]
    assert (row["of"], row["count"], row["low"], row["worst_at"]) == ("result", 2, None, None)
    assert row["mean"] == pytest.approx(0, abs=1e-3)
