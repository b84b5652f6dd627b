"""What cannot be served ends in one sentence."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from vidrestore.cli import main

pytest.importorskip("starlette", reason="the extra [web] is not installed")


def test_a_folder_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["web", str(tmp_path / "none"), "--state", str(tmp_path / "state")]) == 2
    assert "is no folder" in capsys.readouterr().err
    assert not (tmp_path / "state").exists()


def test_a_port_that_is_taken_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["web", str(tmp_path), "--port", str(port), "--state", str(tmp_path / "state")]) == 2
    assert f"port {port} is taken" in capsys.readouterr().err


def test_two_servers_do_not_share_their_jobs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import fcntl

    (tmp_path / "state").mkdir()
    with (tmp_path / "state" / "server.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert main(["web", str(tmp_path), "--port", "0", "--state", str(tmp_path / "state")]) == 2
    assert "another vidrestore web" in capsys.readouterr().err


def test_without_the_extra_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "vidrestore.web.server", None)  # as where what it imports is missing
    assert main(["web", str(tmp_path)]) == 2
    assert "vidrestore[web]" in capsys.readouterr().err
