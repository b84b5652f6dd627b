"""--log-file appends the command, its messages and its end to a log, and to no other file."""

from __future__ import annotations

import errno
import io
import logging
import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.reports import REPORT, finished_run
from vidrestore import api
from vidrestore.cli import main
from vidrestore.cli.log_file import FIRST_LINE, log_to
from vidrestore.cli.run_session import closing_line
from vidrestore.errors import InputError, OutputError
from vidrestore.types import Report


def fails(error: BaseException) -> Any:
    def fail(*_: Any, **__: Any) -> Report:
        raise error

    return fail


def texts(log: Path) -> list[str]:
    """The lines without the times of day."""
    first, *rest = log.read_text("utf-8").splitlines()
    assert first == FIRST_LINE
    return [line[len("2026-01-01 00:00:00 ") :] for line in rest]


def test_a_run_is_noted_from_its_command_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*arguments: Any, **values: Any) -> Report:
        logging.getLogger("vidrestore.device").info("a detail")
        logging.getLogger("vidrestore.device").warning("no GPU")
        return finished_run(*arguments, **values)

    monkeypatch.setattr(api, "restore", run)
    log = tmp_path / "run.log"
    assert main(["restore", "old.mp4", "new.mp4", "--log-file", str(log)]) == 0
    command, *rest = texts(log)
    assert command.startswith("vidrestore 0")
    assert rest == [
        "info: vidrestore.device: a detail",
        "warning: no GPU",
        "examining the input",
        "restoring",
        "warning: a timecode track was left out",
        closing_line(REPORT),
        "done",
    ]


def test_warnings_are_printed_as_without_a_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*_: Any, **__: Any) -> Report:
        logging.getLogger("vidrestore.device").warning("no GPU")
        return REPORT

    monkeypatch.setattr(api, "restore", run)
    assert main(["restore", "old.mp4", "new.mp4", "--quiet", "--log-file", str(tmp_path / "x")]) == 0
    first, *_ = capsys.readouterr().err.splitlines()
    assert first == "vidrestore: warning: no GPU"


def test_the_next_run_appends_to_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "run.log"
    monkeypatch.setattr(api, "restore", fails(InputError("old.mp4 is not a video")))
    assert main(["restore", "old.mp4", "new.mp4", "--log-file", str(log)]) == 2
    monkeypatch.setattr(api, "restore", fails(ZeroDivisionError("division by zero")))
    assert main(["restore", "old.mp4", "new.mp4", "--log-file", str(log)]) == 1
    lines = texts(log)
    assert "error: old.mp4 is not a video" in lines
    assert (
        "ZeroDivisionError: division by zero" in lines
    )  # with its traceback, which the terminal does not show
    assert "Traceback (most recent call last):" in lines


@pytest.mark.parametrize("name", ["old.mp4", "mine.txt", "no/x.log", "."])
def test_a_log_path_that_is_not_a_log_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(api, "restore", fails(AssertionError("it must not begin")))
    monkeypatch.chdir(tmp_path)
    for own in ("old.mp4", "mine.txt"):
        Path(own).write_bytes(b"mine")
    assert main(["restore", "old.mp4", "new.mp4", "--log-file", name]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert Path("old.mp4").read_bytes() == Path("mine.txt").read_bytes() == b"mine"


def test_the_log_may_not_be_the_output_or_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "restore", fails(AssertionError("it must not begin")))
    monkeypatch.chdir(tmp_path)
    assert main(["restore", "old.mp4", "new.mp4", "--log-file", "new.mp4"]) == 2
    assert main(["restore", "old.mp4", "new.mp4", "--log-file", "x", "--report", "x"]) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="FIFOs as POSIX has them")
@pytest.mark.parametrize("name", ["pipe", "device", "link", "dangling"])
def test_the_log_may_not_be_a_pipe_a_device_or_a_link(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(api, "restore", fails(AssertionError("it must not begin")))
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    Path("log").write_text(f"{FIRST_LINE}\n")
    Path("link").symlink_to("log")
    Path("dangling").symlink_to("nowhere")
    log = os.devnull if name == "device" else name
    assert main(["restore", "old.mp4", "new.mp4", "--log-file", log]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert Path("log").read_text() == f"{FIRST_LINE}\n"
    assert not Path("nowhere").exists()


@pytest.mark.parametrize(
    "options",
    [
        ["--log-file", "m.mkv", "--mask", "m.mkv"],
        ["--report", "m.mkv", "--mask", "./m.mkv"],
        ["--log-file", "c.yaml", "--config", "c.yaml"],
        ["--log-file", "c.yaml", "--sidecar", "c.yaml"],
        ["--log-file", "c.yaml", "--faces", "like:c.yaml"],
        ["--report", "new-00001.png"],
        ["--log-file", "new-00001.png"],
    ],
)
def test_two_files_of_one_run_may_not_have_the_same_name(
    options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(api, "restore", fails(AssertionError("it must not begin")))
    monkeypatch.chdir(tmp_path)
    Path("c.yaml").write_text(f"{FIRST_LINE}\n")
    assert main(["restore", "old-%05d.png", "new-%05d.png", *options]) == 2
    assert "another name" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["c.yaml"]
    assert Path("c.yaml").read_text() == f"{FIRST_LINE}\n"


def test_a_full_disk_costs_the_log_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "run.log"
    with log_to(log) as file:
        assert file is not None
        monkeypatch.setattr(file, "_file", open("/dev/full", "wb", buffering=0))  # noqa: SIM115, PTH123
        file.line("lost")
    assert texts(log)[-1].startswith("vidrestore")


class FullDisk(io.FileIO):
    def write(self, content: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_log_that_a_full_disk_cannot_hold_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("vidrestore.cli.log_file.os.fdopen", lambda number, *_, **__: FullDisk(number, "r+"))
        with pytest.raises(OutputError, match="No space left"), log_to(tmp_path / "run.log"):
            pass
    assert list(tmp_path.iterdir()) == []
