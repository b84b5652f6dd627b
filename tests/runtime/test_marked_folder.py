"""The program's own folders are marked, or they do not exist."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.shared import ROOT
from tests.support.signals import skip_where_ignored
from vidrestore.runtime import marked_folder
from vidrestore.runtime.marked_folder import MARK, MarkedFolder, is_marked
from vidrestore.runtime.signals import interrupting_signals


def test_a_temporary_folder_is_removed_when_its_process_ends(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from vidrestore.runtime.marked_folder import MARK, MarkedFolder
folder = Path(sys.argv[1])
MarkedFolder(folder / "temporary", MARK.__eq__).create()
MarkedFolder(folder / "kept", MARK.__eq__, is_kept=True).create()
removed = MarkedFolder(folder / "removed", MARK.__eq__)
removed.create()
removed.remove()
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, timeout=60, cwd=ROOT)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert is_marked(tmp_path / "kept")


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("step", ["mkdir", "open", "write"])
def test_an_interrupt_while_the_folder_is_created_leaves_one_that_can_be_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    skip_where_ignored("SIGTERM")
    place = Path if step == "mkdir" else marked_folder.os
    original = getattr(place, step)

    def interrupted(*arguments: object, **options: object) -> object:
        result = original(*arguments, **options)
        os.kill(os.getpid(), signal.SIGTERM)
        return result

    folder = MarkedFolder(tmp_path / "own", MARK.__eq__)

    def create_and_wait() -> None:
        try:
            with monkeypatch.context() as patched:
                patched.setattr(place, step, interrupted)
                folder.create()
            assert is_marked(folder.path)
            while True:  # the interrupt arrives here
                os.getpid()
        finally:
            folder.remove()

    with pytest.raises(KeyboardInterrupt), interrupting_signals():
        create_and_wait()
    assert not folder.path.exists()


@pytest.mark.parametrize("written", [0, 10], ids=["nothing", "a part"])
def test_a_full_disk_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int) -> None:
    original = os.write

    def full(descriptor: int, content: bytes) -> int:
        if written:
            return original(descriptor, content[:written])
        raise OSError(errno.ENOSPC, "No space left on device")

    folder = MarkedFolder(tmp_path / "own", MARK.__eq__)
    with monkeypatch.context() as patched:
        patched.setattr(marked_folder.os, "write", full)
        with pytest.raises(OSError, match="No space left"):
            folder.create()
    assert list(tmp_path.iterdir()) == []
