"""The calls for Python check their arguments."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import vidrestore
from tests.support.jobs import SEGMENTS, interrupted_run
from vidrestore import Variant
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
def test_restore_and_resume_check_the_workers_and_the_engine(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    _, output = interrupted_run(tmp_path)
    with pytest.raises(UsageError, match=words):
        vidrestore.resume(output, **change)
    with pytest.raises(UsageError, match=words):
        vidrestore.restore(tmp_path / "in.mkv", output, **SEGMENTS, **change)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: vidrestore.restore(None, "out.mkv"), "input must be a path, got None"),  # type: ignore[arg-type]
        (lambda: vidrestore.restore("in.mkv", 5), "output must be a path, got 5"),  # type: ignore[arg-type]
        (lambda: vidrestore.restore(b"in.mkv", "out.mkv"), "input must be a path"),  # type: ignore[arg-type]
        (lambda: vidrestore.restore("a\0b", "out.mkv"), "null character"),
        (lambda: vidrestore.restore("in.mkv", "out.mkv", config=3), "config must be a path"),  # type: ignore[arg-type]
        (lambda: vidrestore.restore("in.mkv", "out.mkv", cancel=True), "cancel must be a"),  # type: ignore[arg-type]
        (lambda: vidrestore.restore("in.mkv", "out.mkv", on_progress=5), "on_progress must be"),  # type: ignore[arg-type]
        (lambda: vidrestore.resume([]), "output must be a path"),  # type: ignore[arg-type]
        (lambda: vidrestore.inspect(1.5), "input must be a path"),  # type: ignore[arg-type]
        (lambda: vidrestore.preview("in.mkv", float("nan")), "at must be seconds .* got nan"),
        (lambda: vidrestore.preview("in.mkv", [-1]), r"^at must be at least 0 seconds, .*, got -1$"),
        (lambda: vidrestore.preview("in.mkv", [1, True]), "at must be seconds .* got True"),
        (lambda: vidrestore.preview("in.mkv", 1, variants=[]), "compares 1 to 64 variants, got 0"),
        (lambda: vidrestore.preview("in.mkv", 1, variants=["auto"]), "Variant, got 'auto' in it"),  # type: ignore[list-item]
        (lambda: vidrestore.preview("in.mkv", 1, variants="auto"), "Variant, got 'auto'"),  # type: ignore[arg-type]
        (lambda: vidrestore.preview("in.mkv", 1, variants=5), "Variant, got 5"),  # type: ignore[arg-type]
        (lambda: Variant(fidelity="auto", strength=7, grain="auto"), "strength must be at most 1, got 7"),
        (lambda: Variant(fidelity=2, strength=1, grain="auto"), "fidelity must be auto or a number"),
        (lambda: Variant(fidelity=1, strength=1, grain=None), "grain must be auto or a number"),  # type: ignore[arg-type]
        (lambda: vidrestore.preview("in.mkv", "12"), "at must be seconds .* got '12'"),  # type: ignore[arg-type]
        (lambda: vidrestore.preview("in.mkv", None), "at must be seconds .* got None"),  # type: ignore[arg-type]
    ],
)
def test_an_invalid_argument_is_refused_with_a_reason(call: Callable[[], object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        call()
