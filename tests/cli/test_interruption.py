"""After Ctrl-C, a message says what is kept and how to resume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.jobs import interrupted_run
from vidrestore import api
from vidrestore.cli import main
from vidrestore.jobs.journal import Journal, journal_path
from vidrestore.jobs.resumable_work import ResumableWork, resumable_work


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return interrupted_run(tmp_path_factory.mktemp("a film"))


def interrupt(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("words", [["restore", "IN", "OUT"], ["resume", "OUT"]])
def test_finished_segments_are_named_with_the_command_that_continues(
    words: list[str],
    film: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source, output = film
    for name in ("restore", "resume"):
        monkeypatch.setattr(api, name, interrupt)
    names = {"IN": str(source), "OUT": str(output)}
    assert main([names.get(word, word) for word in words]) == 130
    kept = resumable_work(output)
    assert kept is not None
    assert (kept.segments, kept.analysed_frames) == (1, 90)
    assert capsys.readouterr().err == (
        f"vidrestore: error: interrupted; 1 segment with {kept.frames} frames is kept; "
        f"continue with: vidrestore resume '{output}'\n"
    )


def test_the_message_says_when_nothing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(api, "restore", interrupt)
    for output in (tmp_path / "out.mkv", Path("-")):
        assert main(["restore", "in.mp4", str(output)]) == 130
        assert capsys.readouterr().err == "vidrestore: error: interrupted; nothing is kept\n"


def test_the_message_says_when_the_face_analysis_is_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(api, "restore", interrupt)
    monkeypatch.setattr(
        "vidrestore.jobs.resumable_work.resumable_work",
        lambda _: ResumableWork(segments=0, frames=0, analysed_frames=1200),
    )
    assert main(["restore", "in.mp4", "out.mkv"]) == 130
    assert capsys.readouterr().err == (
        "vidrestore: error: interrupted; the faces found in 1200 frames are kept; "
        "continue with: vidrestore resume out.mkv\n"
    )


def test_no_finished_work_is_read_from_a_locked_or_damaged_journal(
    film: tuple[Path, Path], tmp_path: Path
) -> None:
    _, output = film
    with Journal(journal_path(output), output):
        assert resumable_work(output) is None
    damaged = tmp_path / "out.mkv"
    content = journal_path(output).read_bytes()
    journal_path(damaged).write_bytes(content[: len(content) // 2])
    assert resumable_work(damaged) is None
