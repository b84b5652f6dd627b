"""Clips that are decoded and written again, as a run without faces does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.clips import Clip
from vidrestore.video import VideoWriter, probe, read_frames

SMALL = Clip(frames=3, size=(128, 96))


def rewrite(
    source: Path, output: Path, start: float | None = None, end: float | None = None, **how: Any
) -> VideoWriter:
    """The writer of `output`, closed; `how` goes to it."""
    info = probe(source)
    with VideoWriter(output, info, start=start, end=end, **how) as writer:
        for frame in read_frames(source, info, start=start, end=end):
            writer.write(frame)
    return writer


def rewrite_with_match(source: Path, output: Path, **how: Any) -> VideoWriter:
    """As `rewrite`, with the input's codec unless `how` states one."""
    return rewrite(source, output, **{"codec": "match", **how})
