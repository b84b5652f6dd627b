"""--dry-run: what would be done and an estimate, from samples; nothing is written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.films import make_film
from tests.support.jobs import names_in
from tests.support.reports import PLAN
from vidrestore.cli import main
from vidrestore.cli.plan_lines import plan_lines
from vidrestore.jobs import dry_run
from vidrestore.jobs.dry_run import RunPlan


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_film(tmp_path_factory.mktemp("film") / "in.mkv", 90, ())


def plan_of(text: str) -> dict[str, object]:
    plan = json.loads(text.splitlines()[-1])
    assert (plan.pop("version"), plan.pop("event")) == (1, "plan")
    assert plan.keys() == set(RunPlan.__dataclass_fields__)
    return dict(plan)


def test_a_plan_is_printed_as_input_output_work_and_estimate() -> None:
    assert plan_lines(PLAN) == [
        "input:    old.mp4, 3000 frames, 25 frames/s",
        "output:   new.mp4, 640x480, mp4, libx264",
        "work:     in one go, on cpu",
        "estimate: about 0:09:37 and 35 MB (120.0 GB free); 5.2 frames/s, measured on 72 frames",
    ]


def test_a_plan_does_not_control_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dry_run, "plan_restore", lambda *_: replace(PLAN, input="\x1b[31m.mp4"))
    assert main(["restore", "old.mp4", "new.mp4", "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith("input:    \\x1b[31m.mp4, 3000 frames")


def test_a_dry_run_estimates_from_samples_and_leaves_no_files(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dry_run, "SAMPLE_FRAMES", 6)
    before = names_in(film.parent)
    words = ["restore", str(film), str(tmp_path / "out.mkv"), "--codec", "ffv1", "--segment", "1"]
    assert main([*words, "--dry-run", "--device", "cpu", "--progress", "json"]) == 0
    printed = capsys.readouterr()
    plan = plan_of(printed.err)
    assert names_in(tmp_path) == []
    assert names_in(film.parent) == before
    assert (plan["frames"], plan["sampled_frames"], plan["encoder"]) == (90, 18, "ffv1")
    assert (plan["container"], plan["segment_seconds"], plan["device"]) == ("matroska", 1.0, "cpu")
    # FFV1 has pictures of about the same size: what the samples have foretells the whole.
    assert main([*words]) == 0
    assert plan["bytes"] == pytest.approx((tmp_path / "out.mkv").stat().st_size, rel=0.3)
    assert "estimate: about 0:00:" in printed.out


def test_a_short_video_has_no_estimate(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["restore", str(film), str(tmp_path / "out.mkv"), "--dry-run", "--end", "1"]) == 0
    assert "none, the video is too short for a sample" in capsys.readouterr().out
    assert names_in(tmp_path) == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["-", "out.mkv"], "standard input"),
        (["IN", "IN"], "the input itself"),
        (["IN", "out.mkv", "--codec", "nobody"], "nobody"),
        (["IN", "out.mkv", "--strength", "7"], "strength must be at most 1"),
        (["no.mkv", "out.mkv"], "no.mkv"),
    ],
)
def test_a_dry_run_refuses_what_a_real_run_refuses(
    words: list[str],
    says: str,
    film: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["restore", *(str(film) if word == "IN" else word for word in words), "--dry-run"]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    assert names_in(tmp_path) == []
