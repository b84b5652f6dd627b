"""The calls for Python check their arguments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import vidrestore
from tests.support.jobs import SEGMENTS, interrupted_run
from vidrestore.errors import UsageError


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
