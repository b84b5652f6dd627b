"""A host starts vidrestore as a child, follows its JSON lines and ends it."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.clips import Clip, make_clip
from vidrestore.integrations import child_command
from vidrestore.integrations.child_command import ChildCommand, find_command
from vidrestore.pace import STAGES

SECONDS = 120
"""After which a child that should have ended fails the test."""
PROGRESS = {"version": 1, "event": "progress", "stage": "restoring", "frames": 10, "total": 40, "faces": 3,
            "seconds": 1.0, "rate": 10.0, "eta": 65.0, "resumed_frames": 0}  # fmt: skip


def test_the_stages_have_the_same_words_as_in_the_terminal() -> None:
    assert child_command._STAGES == STAGES


def child(tmp_path: Path, program: str) -> list[str]:
    """A command that runs the program, whatever words follow."""
    script = tmp_path / "child.py"
    script.write_text("import json, os, sys, time\n" + program, encoding="utf-8")
    return [sys.executable, str(script)]


def says(*lines: dict[str, Any] | str) -> str:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    return "".join(f"print({text!r}, file=sys.stderr, flush=True)\n" for text in texts)


def ended(command: ChildCommand) -> ChildCommand:
    assert command.wait(SECONDS)
    return command


def test_a_finished_run_has_its_report_and_warnings(tmp_path: Path) -> None:
    warning = {"version": 1, "event": "warning", "text": "a subtitle was left out"}
    report = {"version": 1, "event": "report", "output": "out.mov", "frames": 40}
    seen: list[str] = []
    program = says(PROGRESS, warning, report)
    command = ChildCommand([], command=child(tmp_path, program), on_change=lambda: seen.append("line"))
    ended(command)
    assert (command.state, command.share, command.text) == ("done", 1.0, "done")
    assert command.report == {"version": 1, "output": "out.mov", "frames": 40}
    assert command.warnings == ["a subtitle was left out"]
    assert len(seen) == 4  # each line, and the end


def test_a_running_command_reports_its_share_and_a_readable_line(tmp_path: Path) -> None:
    command = ChildCommand([], command=child(tmp_path, says(PROGRESS) + "sys.stdin.read()"))
    for _ in range(SECONDS * 10):
        if command.progress:
            break
        command.wait(0.1)
    assert (command.state, command.share) == ("running", 0.25)
    assert command.text == "restoring: 10/40 frames, 1:05 left"
    command.cancel()
    assert ended(command).state == "cancelled"


@pytest.mark.parametrize(
    ("line", "share", "text"),
    [
        ({"stage": "loading", "frames": 0, "total": 40}, None, "loading the networks"),
        ({"stage": "restoring", "frames": 7, "total": None, "eta": None}, None, "restoring: 7 frames"),
        ({"stage": "restoring", "frames": 50, "total": 40, "eta": None}, 1.0, "restoring: 50/40 frames"),
        ({"stage": "a new one", "frames": 0, "total": None}, None, "a new one"),
    ],
)
def test_a_progress_line_is_shown_as_a_share_and_a_text(
    line: dict[str, Any], share: float | None, text: str, tmp_path: Path
) -> None:
    command = ChildCommand([], command=child(tmp_path, says({**PROGRESS, **line}) + "sys.stdin.read()"))
    for _ in range(SECONDS * 10):
        if command.progress:
            break
        command.wait(0.1)
    assert (command.share, command.text) == (share, text)
    command.cancel()
    ended(command)


def test_a_failed_command_reports_the_error_that_it_wrote(tmp_path: Path) -> None:
    error = {"version": 1, "event": "error", "text": "in.mov is not a video", "exit_code": 2}
    command = ended(ChildCommand([], command=child(tmp_path, says(error) + "sys.exit(2)")))
    assert (command.state, command.error, command.text) == ("failed",) + ("in.mov is not a video",) * 2


def test_a_child_that_dies_is_reported_with_its_last_output(tmp_path: Path) -> None:
    command = ended(ChildCommand([], command=child(tmp_path, says("no module", "[1]", "{}") + "sys.exit(1)")))
    assert (command.state, command.error) == ("failed", "no module [1] {}")
    silent = ended(ChildCommand([], command=child(tmp_path, "sys.exit(7)")))
    assert silent.error == "vidrestore ended with exit code 7 and without a message"


def test_a_missing_command_is_reported_with_how_to_install_it(tmp_path: Path) -> None:
    command = ended(ChildCommand(["restore"], command=[str(tmp_path / "missing")]))
    assert command.state == "failed"
    assert command.error.endswith("install it: pip install vidrestore")
    command.cancel()


def test_a_child_that_does_not_listen_is_ended_by_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_command, "PATIENCE_SECONDS", 0.2)
    deaf = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n" + says(PROGRESS)
    command = ChildCommand([], command=child(tmp_path, deaf + "time.sleep(600)"))
    for _ in range(SECONDS * 10):
        if command.progress:
            break
        command.wait(0.1)
    command.cancel()
    command.cancel()
    assert ended(command).state == "cancelled"


def test_the_child_does_not_get_the_python_of_the_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "of the host")
    report = "print(json.dumps({'event': 'report', 'words': sys.argv[1:], 'path': os.environ.get('PYTHONPATH')}), file=sys.stderr)"  # noqa: E501
    command = ended(ChildCommand(["restore", "a b"], command=child(tmp_path, report)))
    assert command.report == {"words": ["restore", "a b", "--progress", "json"], "path": None}


def test_the_recorded_command_is_used_while_it_exists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_command(tmp_path) == [sys.executable, "-m", "vidrestore"]  # this Python has it
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert find_command(tmp_path) == ["vidrestore"]
    file = tmp_path / "command.json"
    file.write_text(json.dumps({"command": [sys.executable, "-m", "vidrestore"]}), encoding="utf-8")
    assert find_command(tmp_path) == [sys.executable, "-m", "vidrestore"]
    for useless in ('{"command": ["/no/python"]}', "[]", "{}", '{"command": []}', "\xff"):
        file.write_text(useless, encoding="latin-1")
        assert find_command(tmp_path) == ["vidrestore"]


def test_the_real_command_is_followed_to_its_end(tmp_path: Path) -> None:
    make_clip(tmp_path / "in.mkv", Clip(frames=5))
    words = ["restore", str(tmp_path / "in.mkv"), str(tmp_path / "out.mkv"), "--device", "cpu"]
    command = ended(ChildCommand(words, command=[sys.executable, "-m", "vidrestore"]))
    assert command.state == "done", command.error
    assert command.report is not None
    assert command.report["frames"] == 5
    assert (tmp_path / "out.mkv").is_file()
    assert command.progress["stage"] in ("restoring", "finishing")


@pytest.mark.parametrize("before", ["", "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"])
def test_the_real_command_ends_when_its_input_is_closed(tmp_path: Path, before: str) -> None:
    """As on Windows, and as when the host dies: no signal is sent."""
    program = (
        f"{before}\n"
        "import sys, threading\n"
        "from vidrestore import cli\n"
        "import vidrestore.jobs.batch as jobs\n"
        "def wait(*_, **__):\n"
        "    print('ready', flush=True)\n"
        "    threading.Event().wait(100)\n"
        "jobs.restore_folder = wait\n"
        "sys.exit(cli.main(['batch', '.', 'out']))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
        env={**os.environ, "VIDRESTORE_END_WITH_STDIN": "1"},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    _, error = process.communicate(timeout=SECONDS)  # closes its standard input
    assert (process.returncode, error) == (130, "vidrestore: error: interrupted\n")


@pytest.mark.parametrize("host", ["resolve", "nuke"])
def test_scripts_that_hosts_run_are_valid_python_3_7(host: str) -> None:
    for path in (Path(child_command.__file__).parent / host).glob("*.py"):
        ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 7))


def test_the_shared_module_is_python_of_3_7_and_needs_the_standard_library_alone() -> None:
    tree = ast.parse(Path(child_command.__file__).read_text(encoding="utf-8"), feature_version=(3, 7))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert all(alias.name.partition(".")[0] in sys.stdlib_module_names for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert (node.module or "").partition(".")[0] in sys.stdlib_module_names
