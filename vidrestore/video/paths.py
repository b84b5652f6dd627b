"""Whether an output may be written where it is asked for, told before any work."""

from __future__ import annotations

from pathlib import Path

from vidrestore.video.container import choose_container
from vidrestore.video.target import check_target


def check_paths(input: Path, output: Path, overwrite: bool, container: str | None = None) -> None:
    """Raises OutputError or UsageError where writing `output` would fail or destroy something."""
    check_target(input, output, overwrite)
    choose_container(output, container)
