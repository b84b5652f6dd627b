"""Reports of `vidrestore inspect` as files: nothing but an earlier report is replaced."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.support.user_files import USERS_OWN, snapshot
from vidrestore import inspection
from vidrestore.cli import main
from vidrestore.inspection import Inspection, Scene

NAME = os.fsdecode(b"film\x1b[2J\n.mp4")


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The inputs that were looked at; all are the same."""
    inputs: list[Path] = []

    def inspect(source: Path, *_: Any) -> Inspection:
        inputs.append(source)
        return Inspection(
            path=source, width=64, height=48, frame_rate=Fraction(25), duration=1.0, codec="h264",
            pixel_format="yuv420p", rotation=0, mirrored=False, field_order="progressive", telecined=False,
            other_streams=(), frames=25, frames_with_faces=0,
            scenes=(Scene(first_frame=0, frames=25, start=0.0),), tracks=(), people=(),
        )  # fmt: skip

    monkeypatch.setattr(inspection, "inspect_video", inspect)
    return inputs


@pytest.mark.parametrize("option", ["--json", "--html"])
@pytest.mark.parametrize("kind", USERS_OWN)
def test_inspect_replaces_no_file_of_the_user(
    looked_at: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, kind: str
) -> None:
    USERS_OWN[kind](tmp_path / "report")
    before = snapshot(tmp_path)
    assert main(["inspect", "in.mp4", option, str(tmp_path / "report")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert (looked_at, snapshot(tmp_path)) == ([], before)


@pytest.mark.parametrize("option", ["--json", "--csv"])
@pytest.mark.parametrize("kind", ["a file", "a link to a file", "a FIFO"])
def test_evaluate_replaces_no_file_of_the_user(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, kind: str
) -> None:
    USERS_OWN[kind](tmp_path / "report")
    before = snapshot(tmp_path)
    assert main(["evaluate", "result.mp4", option, str(tmp_path / "report")]) == 2
    assert "report" in capsys.readouterr().err
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("option", ["--json", "--html"])
def test_a_report_may_not_replace_a_picture_of_the_input(
    looked_at: list[Path], tmp_path: Path, option: str
) -> None:
    for number in (1, 2):
        (tmp_path / f"p{number}.png").write_bytes(b"\x89PNG")
    before = snapshot(tmp_path)
    assert main(["inspect", str(tmp_path / "p%d.png"), option, str(tmp_path / "p1.png")]) == 2
    assert (looked_at, snapshot(tmp_path)) == ([], before)


def test_an_earlier_report_is_replaced_by_one_of_its_kind(looked_at: list[Path], tmp_path: Path) -> None:
    page, data = str(tmp_path / "report.html"), str(tmp_path / "report.json")
    for _ in range(2):
        assert main(["inspect", "in.mp4", "--html", page, "--json", data, "-q"]) == 0
    assert json.loads(Path(data).read_text())["frames"] == 25
    assert main(["inspect", "in.mp4", "--html", data, "-q"]) == 2
    assert main(["inspect", "in.mp4", "--json", page, "-q"]) == 2
    assert len(list(tmp_path.iterdir())) == 2


def test_two_reports_are_two_files(looked_at: list[Path], tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    report = tmp_path / "report"
    assert main(["inspect", "in.mp4", "--json", str(report), "--html", str(tmp_path / "d/../report")]) == 2
    assert looked_at == []
    assert not report.exists()


def test_names_control_neither_the_terminal_nor_the_page(
    looked_at: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", NAME, "--html", str(tmp_path / "p.html"), "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["path"] == NAME
    assert main(["inspect", NAME]) == 0
    assert capsys.readouterr().out.splitlines()[0].startswith(r"film\x1b[2J\n.mp4: 64 x 48, 25 frames")
    assert "\x1b" not in (tmp_path / "p.html").read_text()
