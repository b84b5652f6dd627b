"""Means, intervals and deviations have the values one can work out by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from vidrestore.evaluation.evaluation import Evaluation
from vidrestore.evaluation.measures import MEASURES, columns
from vidrestore.evaluation.samples import NO_TRACK, Samples
from vidrestore.evaluation.summary import interval, summarise, track_rows


def evaluation(faces: Samples, *, is_video: bool = True, pictures: Samples | None = None) -> Evaluation:
    return Evaluation(
        paths={"result": Path("result.mkv"), "truth": Path("truth.mkv")},
        is_video=is_video,
        size=(64, 48),
        names=() if is_video else tuple(f"{n}.png" for n in range(100)),
        pictures=pictures or Samples(columns("picture", ("result", "truth"))),
        faces=faces,
        worst=(),
        sets=(),
        checks=(),
        left_out=(),
        seconds=1.0,
    )


def face_samples() -> Samples:
    return Samples(columns("face", ("result", "truth")))


def test_the_mean_ignores_missing_values() -> None:
    faces = face_samples()
    for frame, value in enumerate((20.0, math.nan, 30.0)):
        faces.add(frame, frame / 25, 0, {} if math.isnan(value) else {"result.face_psnr": value})
    (row,) = [row for row in summarise(evaluation(faces)) if row.measure.name == "face_psnr"]
    assert (row.mean, row.count, row.worst, row.worst_at) == (25.0, 2, 20.0, 0)
    assert row.low is None, "one block of a second says nothing of how sure the mean is"


def test_the_interval_of_equal_values_has_no_width() -> None:
    low, high = interval(np.full(60, 7.0), np.arange(60)) or (0, 0)
    assert (low, high) == pytest.approx((7, 7))


def test_the_interval_of_many_values_is_that_of_the_normal_distribution() -> None:
    values = np.random.default_rng(1).normal(10, 2, 400)
    low, high = interval(values, np.arange(400)) or (0, 0)
    expected = 1.96 * values.std() / 20
    assert high - low == pytest.approx(2 * expected, rel=0.1)
    assert low < values.mean() < high


def test_repeating_each_value_does_not_narrow_the_interval() -> None:
    """Each value ten times over is no more than each value once."""
    values = np.random.default_rng(2).normal(0, 1, 40)
    alone = interval(values, np.arange(40)) or (0, 0)
    repeated = interval(np.repeat(values, 10), np.repeat(np.arange(40), 10)) or (0, 0)
    assert repeated == pytest.approx(alone, abs=1e-9)


def test_the_same_seed_draws_the_same_interval() -> None:
    values = np.random.default_rng(3).normal(0, 1, 30)
    assert interval(values, np.arange(30), seed=4) == interval(values, np.arange(30), seed=4)
    assert interval(values, np.arange(30), seed=4) != interval(values, np.arange(30), seed=5)


def test_sigma_is_the_deviation_within_tracks_not_between_them() -> None:
    faces = face_samples()
    for frame in range(10):
        for track, level in ((0, 1.0), (1, 5.0)):
            faces.add(frame, frame / 25, track, {"result.landmarks": level + 0.5 * (-1) ** frame})
    found = evaluation(faces)
    (row,) = [row for row in summarise(found) if row.measure.name == "sigma_akd"]
    assert row.mean == pytest.approx(0.5)
    assert [r.values["result.sigma_akd"] for r in track_rows(found)] == pytest.approx([0.5, 0.5])
    assert [r.values["result.landmarks"] for r in track_rows(found)] == pytest.approx([1.0, 5.0])


def test_pictures_have_no_tracks_and_no_deviation_over_time() -> None:
    faces = face_samples()
    for number in range(3):
        faces.add(number, number, 0, {"result.landmarks": float(number)})
    found = evaluation(faces, is_video=False)
    assert track_rows(found) == []
    assert [row.measure.name for row in summarise(found)] == ["landmarks"]


def test_the_largest_change_outside_is_the_largest_of_all_frames() -> None:
    pictures = Samples(columns("picture", ("result", "input")))
    for frame, value in enumerate((0.0, 9.0, 0.0)):
        pictures.add(frame, frame / 25, NO_TRACK, {"result.change_outside": value})
    found = evaluation(face_samples(), pictures=pictures)
    (row,) = summarise(found)
    assert (row.mean, row.worst_at) == (9.0, 1)


def test_a_column_that_is_unknown_is_refused() -> None:
    with pytest.raises(KeyError, match=r"result\.beauty"):
        face_samples().add(0, 0.0, 0, {"result.beauty": 1.0})


def test_every_measure_has_its_own_name_and_a_description() -> None:
    assert len({measure.name for measure in MEASURES}) == len(MEASURES)
    assert all(measure.about.endswith(".") for measure in MEASURES)
