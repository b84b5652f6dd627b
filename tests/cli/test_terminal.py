"""Streams that are full, closed or of another encoding cost nothing; foreign text controls no terminal."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from tests.support.jobs import ENVIRONMENT, command
from vidrestore import api
from vidrestore.cli import main
from vidrestore.cli.terminal import print_line, printable, tolerant_streams
from vidrestore.errors import InputError, VidrestoreError
from vidrestore.types import Report

HOSTILE = "film\x1b[2J\x1b]0;title\x07\r\n\u202egpj.\u2028\x9b31m\udce9.mp4"
posix_only = pytest.mark.skipif(os.name != "posix", reason="descriptors and devices as POSIX has them")


def lines_of(text: str) -> list[str]:
    assert all(char == "\n" or char.isprintable() for char in text), repr(text)
    return text.splitlines()


def test_terminal_control_characters_are_escaped_and_other_text_is_kept() -> None:
    assert printable(HOSTILE).isprintable()
    assert printable("a\x1bb\nc\udce9\u202e") == r"a\x1bb\nc\udce9\u202e"
    assert printable("Füße 映画 é 👩‍🎬 \\n") == "Füße 映画 é 👩‍🎬 \\n"


def test_errors_and_warnings_are_one_line_whatever_names_they_hold(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def restore(*_: object, **__: object) -> Report:
        return Report(
            output=Path(HOSTILE), frames=1, frames_with_faces=0, faces=0, tracks=0, lost_frames=0,
            seconds=1.0, seconds_by_stage={}, warnings=(f"{HOSTILE} has lost its sound",),
        )  # fmt: skip

    monkeypatch.setattr(api, "restore", restore)
    assert main(["restore", HOSTILE, HOSTILE]) == 0
    out, err = capsys.readouterr()
    assert (len(lines_of(out)), len(lines_of(err))) == (1, 1)

    def refuse(*_: object, **__: object) -> Report:
        raise InputError(f"{HOSTILE} is no video")

    monkeypatch.setattr(api, "restore", refuse)
    assert main(["restore", HOSTILE, HOSTILE, "--debug"]) == 2
    assert lines_of(capsys.readouterr().err)[-1].startswith("vidrestore: error: film\\x1b[2J")


@pytest.mark.parametrize("word", ["--bogus\noption", "--strength=\x1b[2J"])
def test_arguments_that_cannot_be_used_are_one_line(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["restore", "a", "b", word]) == 2
    assert len(lines_of(capsys.readouterr().err)) == 1


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_characters_that_a_stream_cannot_encode_are_escaped(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(file, encoding=encoding))
    with tolerant_streams():
        print_line("映画.mp4")
    expected = "映画.mp4" if encoding == "utf-8" else r"\u6620\u753b.mp4"
    assert file.getvalue().decode(encoding) == f"{expected}{os.linesep}"


class Broken(io.StringIO):
    """A stream that fails."""

    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


def test_broken_output_streams_do_not_fail_a_finished_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def restore(*_: object, **__: object) -> Report:
        return Report(
            output=Path("out.mkv"), frames=1, frames_with_faces=0, faces=0, tracks=0, lost_frames=0,
            seconds=1.0, seconds_by_stage={}, warnings=("of something",),
        )  # fmt: skip

    monkeypatch.setattr(api, "restore", restore)
    streams: list[IO[str] | None] = [Broken(), None]
    for out in streams:
        for err in streams:
            monkeypatch.setattr(sys, "stdout", out)
            monkeypatch.setattr(sys, "stderr", err)
            assert main(["restore", "in.mkv", "out.mkv"]) == 0
            assert main(["models", "list"]) == 2  # what it was asked for went nowhere


def test_an_error_sets_the_exit_code_even_if_stderr_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> Report:
        raise VidrestoreError("a reason")

    monkeypatch.setattr(api, "restore", refuse)
    monkeypatch.setattr(sys, "stderr", Broken())
    assert main(["restore", "in.mkv", "out.mkv"]) == 1


@posix_only
@pytest.mark.parametrize(
    ("redirections", "words", "code"),
    [
        (">/dev/full", ["--version"], 2),
        (">/dev/full 2>/dev/full", ["models", "list"], 2),
        (">&-", ["--version"], 2),
        ("2>/dev/full", ["models", "list"], 0),
        ("2>&-", ["restore", "missing.mp4", "out.mp4"], 2),
        (">&- 2>&- <&-", ["restore", "-", "out.mp4"], 2),
        (">/dev/full", ["--help"], 0),
        ("| true", ["--help"], 0),
    ],
)
def test_the_process_ends_by_its_own_code(
    redirections: str, words: list[str], code: int, tmp_path: Path
) -> None:
    """And not by what Python does with streams that it cannot write at its end."""
    line = " ".join(["exec" if "|" not in redirections else "", *command(*words), redirections])
    done = subprocess.run(
        ["sh", "-c", line], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.returncode == code
    assert "Exception" not in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_warnings_that_are_logged_are_messages_and_those_of_libraries_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def restore(*_: object, **__: object) -> Report:
        for name in ("vidrestore.restoration.oom_retry", "PIL.TiffImagePlugin"):
            logger = logging.Logger(name)
            logger.warning("memory of %s", HOSTILE)
        raise InputError("no video")

    monkeypatch.setattr(api, "restore", restore)
    assert main(["restore", "in.mkv", "out.mkv"]) == 2
    warning, error = lines_of(capsys.readouterr().err)
    assert warning.startswith("vidrestore: warning: memory of film")
    assert error == "vidrestore: error: no video"


def test_the_root_folder_is_refused_as_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in.mkv").write_bytes(b"?")
    assert main(["restore", str(tmp_path / "in.mkv"), "/"]) == 2
    assert main(["resume", "/"]) == 2
    assert len(lines_of(capsys.readouterr().err)) == 2
