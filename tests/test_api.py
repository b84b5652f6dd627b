"""The calls for Python: arguments are checked, and the process is set up before torch is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import vidrestore
from tests.support.jobs import SEGMENTS, interrupted_run
from vidrestore import api, inspection, jobs
from vidrestore.errors import UsageError


@pytest.mark.parametrize("name", ["restore", "resume", "inspect"])
def test_every_call_sets_the_process_up(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []

    def note(*_: Any, **__: Any) -> None:
        order.append("work")

    monkeypatch.setattr(api, "_set_up_process", lambda: order.append("set up"))
    monkeypatch.setattr(jobs, "restore_file", note)
    monkeypatch.setattr(jobs, "resume_file", note)
    monkeypatch.setattr(inspection, "inspect_video", note)
    arguments = ("in.mp4", "out.mp4") if name == "restore" else ("in.mp4",)
    getattr(api, name)(*arguments)
    assert order == ["set up", "work"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"workers": -1}, "workers"),
        ({"workers": 0}, "workers"),
        ({"workers": 10**9}, "workers"),
        ({"workers": "many"}, "workers"),
        ({"engine": "rai"}, "engine"),
    ],
)
def test_a_resumed_run_checks_what_is_asked_of_it(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    _, output = interrupted_run(tmp_path)
    with pytest.raises(UsageError, match=words):
        vidrestore.resume(output, **change)
    with pytest.raises(UsageError, match=words):
        vidrestore.restore(tmp_path / "in.mkv", output, **SEGMENTS, **change)
