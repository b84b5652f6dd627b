"""A folder with a film, a service that may read it, and processes that stand for jobs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.web.ask import Asker


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "film.mp4").write_bytes(b"a film")
    return tmp_path / "root"


@pytest.fixture
def ask(root: Path, tmp_path: Path) -> Asker:
    from tests.web.ask import Asker  # needs the extra [web], which a module of tests asks for first

    return Asker(root, tmp_path / "state")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[subprocess.Popen[bytes]]]:
    """The processes that stand for jobs: each waits for the word to end."""
    from vidrestore.web import job_runner

    processes: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def start(_: list[str], **how: Any) -> subprocess.Popen[bytes]:
        process = real([sys.executable, "-c", "import time; time.sleep(600)"], **how)
        processes.append(process)
        return process

    monkeypatch.setattr(job_runner.subprocess, "Popen", start)
    yield processes
    for process in processes:
        process.kill()
        process.wait(30)
