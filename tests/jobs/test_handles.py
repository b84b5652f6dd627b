"""--handles: frames around the part, restored as well, with the sound and the times that belong to them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import vidrestore
from tests.support.films import make_film
from tests.support.jobs import frames_of
from vidrestore.settings import make_settings


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_film(tmp_path_factory.mktemp("film") / "in.mkv", 90, ())


RATE = Fraction(24000, 1001)


@pytest.mark.parametrize(
    ("chosen", "part"),
    [
        ({"start": 2.0, "end": 3.0, "handles": 5}, (2.0 - 5 / RATE, 3.0 + 5 / RATE)),
        ({"start": 0.1, "handles": 24}, (0.0, None)),
        ({"end": 3.0, "handles": 24}, (None, 3.0 + 24 / RATE)),
        ({"handles": 24}, (None, None)),
        ({"start": 2.0, "end": 3.0}, (2.0, 3.0)),
    ],
)
def test_handles_extend_the_range_of_time(
    chosen: dict[str, Any], part: tuple[float | None, float | None]
) -> None:
    wanted = make_settings(**chosen).time_range(RATE)
    assert wanted["start"] == pytest.approx(part[0])
    assert wanted["end"] == pytest.approx(part[1])


@pytest.mark.parametrize("segment", [0, 1])
@pytest.mark.parametrize(("handles", "first", "last"), [(0, 30, 60), (7, 23, 67), (1000, 0, 90)])
def test_the_output_contains_the_frames_of_the_handles(
    segment: int, handles: int, first: int, last: int, film: Path, tmp_path: Path
) -> None:
    original = frames_of(film)
    rate = 1 / (original[1].seconds - original[0].seconds)
    report = vidrestore.restore(
        film, tmp_path / "out.mkv", codec="ffv1", segment=segment,
        start=30 / rate, end=60 / rate, handles=handles,
    )  # fmt: skip
    result = frames_of(tmp_path / "out.mkv")
    assert (report.frames, len(result)) == (last - first, last - first)
    for one, other in ((result[0], original[first]), (result[-1], original[last - 1])):
        assert (one.planes[0] == other.planes[0]).all()


def test_the_total_of_the_progress_includes_the_handles(film: Path, tmp_path: Path) -> None:
    totals = set()
    vidrestore.restore(
        film, tmp_path / "out.mkv", codec="ffv1", segment=0, start=1, end=2, handles=3,
        on_progress=lambda progress: totals.add((progress.stage, progress.total)),
    )  # fmt: skip
    whole = len(frames_of(tmp_path / "out.mkv"))
    assert {total for stage, total in totals if stage == "restoring"} == {whole}


def test_inspect_includes_the_frames_of_the_handles(film: Path) -> None:
    plain = vidrestore.inspect(film, start=1, end=2)
    assert vidrestore.inspect(film, start=1, end=2, handles=3).frames == plain.frames + 6
