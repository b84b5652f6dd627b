"""Folders of the program's own are marked, or not there at all."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.support.signals import skip_where_ignored
from vidrestore.runtime import marked_folder
from vidrestore.runtime.marked_folder import MARK, MarkedFolder, is_marked
from vidrestore.runtime.signals import interrupting_signals


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
