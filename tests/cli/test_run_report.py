"""How much of each face was drawn: in the closing line, in the report of a run, and in what inspect shows."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.reports import INSPECTION
from vidrestore import api
from vidrestore.cli import main, run_report
from vidrestore.cli.run_report import read_run_report
from vidrestore.cli.run_session import closing_line
from vidrestore.errors import UsageError
from vidrestore.jobs import batch
from vidrestore.types import DrawnShare, Report


def share(track: int, mean: float) -> DrawnShare:
    return DrawnShare(track=track, frames=40, mean=mean, maximum=min(1.0, mean + 0.1))


REPORT = Report(
    output=Path("new.mp4"), frames=50, frames_with_faces=45, faces=80, tracks=2, lost_frames=0, seconds=5.0,
    seconds_by_stage={}, drawn=(share(0, 0.07), share(3, 0.62)),
)  # fmt: skip


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restoring and resuming are done at once."""

    def done(*_: Any, **__: Any) -> Report:
        return REPORT

    monkeypatch.setattr(api, "restore", done)
    monkeypatch.setattr(api, "resume", done)


def closing(*shares: DrawnShare) -> str:
    return closing_line(replace(REPORT, drawn=shares))


def test_the_closing_line_of_a_resumed_run_gives_the_rate_of_that_run_only() -> None:
    line = closing_line(replace(REPORT, resumed_frames=30, drawn=()))
    assert line.startswith("50 frames (30 by an earlier run), 80 faces of 2 tracks restored in 5.0 s (4.0 ")


def test_the_closing_line_of_a_run_without_faces_mentions_no_tracks() -> None:
    line = closing_line(replace(REPORT, faces=0, tracks=0, drawn=()))
    assert line.startswith("50 frames, no faces restored in 5.0 s (10.0 frames/s)")


def test_the_closing_line_names_the_tracks_that_are_mostly_drawn() -> None:
    assert closing(share(0, 0.07), share(1, 0.5)).endswith("no frames lost, no warnings: new.mp4")
    assert closing(share(0, 0.07), share(3, 0.62)).endswith(
        "no frames lost, no warnings, more than half of track 3 drawn: new.mp4"
    )
    assert "more than half of tracks 1, 2 drawn: " in closing(share(1, 0.9), share(2, 0.6), share(3, 0.1))


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="a file without an end")
def test_a_report_file_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_report, "MAX_BYTES", 1000)
    with pytest.raises(UsageError, match="larger"):
        read_run_report(Path("/dev/zero"))


def test_the_closing_line_names_some_of_many_tracks_and_counts_the_rest() -> None:
    line = closing(*(share(track, 0.9) for track in range(30)))
    assert "more than half of tracks 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 18 more drawn: " in line
    assert "\n" not in line


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("line", [["restore", "old.mp4", "new.mp4"], ["resume", "new.mp4"]])
def test_the_report_states_the_drawn_share_of_each_track(
    line: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "new.json"
    assert main([*line, "--report", str(path)]) == 0
    values = json.loads(path.read_text("utf-8"))
    assert values["made_by"] == "vidrestore restore"
    assert values["drawn"][1] == {"track": 3, "frames": 40, "mean": 0.62, "maximum": 0.72}
    assert read_run_report(path) == REPORT
    assert "track 3 drawn" in capsys.readouterr().out
    assert main([*line, "--report", str(path), "--quiet"]) == 0  # an earlier report is replaced


@pytest.mark.usefixtures("run")
def test_the_report_replaces_no_other_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video, mine = tmp_path / "old.mp4", tmp_path / "mine.json"
    video.write_bytes(b"a film")
    mine.write_text('{"made_by": "me"}')
    for path, says in (
        (video, "choose another name"),
        (mine, "not an earlier report"),
        (tmp_path / "no" / "x", "folder"),
    ):
        assert main(["restore", str(video), str(tmp_path / "new.mp4"), "--report", str(path)]) in (1, 2)
        assert says in (message := capsys.readouterr().err)
        assert message.count("\n") == 1
    assert (
        main(["restore", str(video), str(tmp_path / "new.mp4"), "--report", str(tmp_path / "new.mp4")]) != 0
    )
    assert video.read_bytes() == b"a film"
    assert mine.read_text() == '{"made_by": "me"}'


@pytest.fixture
def inspected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidrestore.inspection.inspect_video", lambda *_: INSPECTION)


@pytest.mark.usefixtures("run", "inspected")
def test_inspect_shows_what_a_run_has_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report, found, page = (tmp_path / name for name in ("new.json", "found.json", "page.html"))
    assert main(["restore", "old.mp4", "new.mp4", "--report", str(report), "--quiet"]) == 0
    assert (
        main(["inspect", "old.mp4", "--report", str(report), "--json", str(found), "--html", str(page)]) == 0
    )
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    table = [" ".join(row) for row in rows if row[:1] in (["0"], ["3"], ["5"]) and len(row) > 5]
    for row, end in zip(table, ("7 % (most 17 %)", "62 % (most 72 %)", "0.90"), strict=True):
        assert row.strip().endswith(end)
    tracks = json.loads(found.read_text("utf-8"))["tracks"]
    assert [track["drawn"] for track in tracks] == [
        {"mean": 0.07, "maximum": 0.17}, {"mean": 0.62, "maximum": 0.72}, None,
    ]  # fmt: skip
    assert "drawn 62 % (most 72 %)" in page.read_text("utf-8")


@pytest.mark.usefixtures("inspected")
def test_inspect_shows_no_drawn_shares_without_the_report_of_a_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["inspect", "old.mp4"]) == 0
    assert "drawn" not in capsys.readouterr().out
    assert [track["drawn"] for track in INSPECTION.to_dict()["tracks"]] == [None] * 3


@pytest.mark.usefixtures("inspected")
def test_a_report_of_another_video_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(api, "restore", lambda *_, **__: replace(REPORT, frames=51))
    path = tmp_path / "other.json"
    assert main(["restore", "old.mp4", "new.mp4", "--report", str(path)]) == 0
    capsys.readouterr()
    assert main(["inspect", "old.mp4", "--report", str(path)]) == 2
    assert "the report has 51 frames, but the input has 50" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content", [b"", b"no JSON", b"[]", b"3", b'{"made_by": "me"}', b'{"made_by": "vidrestore restore"}',
                b'{"made_by": "vidrestore restore", "output": "x", "drawn": [1], "warnings": []}', b"\xff"]
)  # fmt: skip
def test_a_file_that_is_no_report_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"odd\.json is not a report"):
        read_run_report(path)
    with pytest.raises(UsageError, match="cannot read"):
        read_run_report(tmp_path / "absent.json")


def test_a_batch_report_states_the_drawn_shares_of_each_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def done(source: Path, target: Path, *_: Any) -> Report:
        target.write_bytes(source.read_bytes())
        return replace(REPORT, output=target)

    monkeypatch.setattr(batch, "restore_file", done)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.mkv").write_bytes(b"a film")
    report = tmp_path / "batch.json"
    words = ["--report", str(report), "--strength", "0.5", "--codec", "h264"]
    assert main(["batch", str(tmp_path / "in"), str(tmp_path / "out"), *words]) == 0
    (row,) = json.loads(report.read_text("utf-8"))
    assert (row["tracks"], row["lost_frames"], row["concealed_frames"]) == (2, 0, 0)
    assert row["settings"] == {"strength": 0.5, "codec": "h264"}
    assert row["drawn"][0] == {"track": 0, "frames": 40, "mean": 0.07, "maximum": 0.17}
    assert "more than half of track 3 drawn" in capsys.readouterr().out
