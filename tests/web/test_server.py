"""A server that cannot start gives one error message."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

import pytest

from tests.support.signals import skip_where_ignored
from vidrestore.cli import main

pytest.importorskip("starlette", reason="the extra [web] is not installed")

from vidrestore.web import server


def test_a_path_that_is_no_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["web", str(tmp_path / "none"), "--state", str(tmp_path / "state")]) == 2
    assert "is not a folder" in capsys.readouterr().err
    assert not (tmp_path / "state").exists()


def test_a_port_that_is_taken_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["web", str(tmp_path), "--port", str(port), "--state", str(tmp_path / "state")]) == 2
    assert f"port {port} is in use" in capsys.readouterr().err


def test_two_servers_do_not_share_their_jobs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import fcntl

    (tmp_path / "state").mkdir()
    with (tmp_path / "state" / "server.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert main(["web", str(tmp_path), "--port", "0", "--state", str(tmp_path / "state")]) == 2
    assert "another vidrestore web" in capsys.readouterr().err


def _wait_until_it_answers(port: int) -> None:
    """Any answer: its signals are its own from then on."""
    for _ in range(600):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
            return
        except ConnectionRefusedError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise AssertionError("it does not answer")


@pytest.mark.skipif(sys.platform != "linux", reason="the page runs on Linux")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGXCPU"])
def test_every_signal_ends_the_server_with_the_same_exit_code(tmp_path: Path, name: str) -> None:
    skip_where_ignored(name)
    words = ["web", str(tmp_path), "--port", "0", "--state", str(tmp_path / "state")]
    process = subprocess.Popen(
        [sys.executable, "-m", "vidrestore", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        address = urllib.parse.urlsplit(process.stdout.readline().split()[-1])
        assert address.port is not None
        _wait_until_it_answers(address.port)
        process.send_signal(getattr(signal, name))
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, err) == (130, "vidrestore: error: interrupted\n")


@pytest.mark.parametrize("kind", ["a file", "a link", "a pipe", "an own lock"])
def test_a_folder_of_the_users_is_not_taken_for_jobs(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state, lock = tmp_path / "state", tmp_path / "state" / "server.lock"
    state.mkdir()
    (state / "1.log").write_text("mine")
    if kind == "a link":
        lock.symlink_to("1.log")
    elif kind == "a pipe":
        os.mkfifo(lock)
    elif kind == "an own lock":
        lock.write_text("mine")
    assert main(["web", str(tmp_path), "--port", "0", "--state", str(state)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "defect" not in error
    assert (state / "1.log").read_text() == "mine"
    assert kind != "an own lock" or lock.read_text() == "mine"


def test_an_unreadable_database_of_jobs_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "server.lock").write_bytes(server._MARK)
    (state / "jobs.sqlite").write_bytes(b"no database" * 100)
    assert main(["web", str(tmp_path), "--port", "0", "--state", str(state)]) == 2
    assert "cannot use the jobs in" in capsys.readouterr().err


def test_without_the_extra_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "vidrestore.web.server", None)  # as where what it imports is missing
    assert main(["web", str(tmp_path)]) == 2
    assert "vidrestore[web]" in capsys.readouterr().err
