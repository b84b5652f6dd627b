"""No thread is left running after a run that has failed."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

import vidrestore
from tests.support.films import make_film
from vidrestore.errors import OutputError
from vidrestore.video import SegmentWriter


def test_a_run_that_fails_in_a_segment_leaves_no_thread_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OutputError("the disk is full")

    monkeypatch.setattr(SegmentWriter, "write", full)
    source = make_film(tmp_path / "in.mkv", 400, ())
    with pytest.raises(OutputError, match="full"):
        vidrestore.restore(source, tmp_path / "out.mkv", segment=2, codec="ffv1", device="cpu")
    # Not once the error is forgotten, and with it all that it holds: now.
    assert [thread.name for thread in threading.enumerate() if thread.name == "prefetch"] == []
