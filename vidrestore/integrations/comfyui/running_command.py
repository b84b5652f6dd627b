"""Runs a vidrestore command for a node, with ComfyUI's progress bar and cancel button."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import comfy.model_management
import comfy.utils
import folder_paths

from ..child_command import ChildCommand

PAUSE_SECONDS = 0.2
_STEPS = 1000
_END_SECONDS = 60.0


def run_command(words: Sequence[str], command: Sequence[str] | None = None) -> dict[str, Any]:
    """The report of a command, once it has ended.

    Args:
        words: Its arguments.
        command: The program and arguments that start vidrestore; None: as installed.

    Raises:
        RuntimeError: The command failed; the text is its error.
        comfy.model_management.InterruptProcessingException: The user cancelled.
    """
    running = ChildCommand(words, command=command)
    bar = comfy.utils.ProgressBar(_STEPS)
    try:
        while not running.wait(PAUSE_SECONDS):
            comfy.model_management.throw_exception_if_processing_interrupted()
            if running.share is not None:
                bar.update_absolute(int(running.share * _STEPS), _STEPS)
    except BaseException:
        running.cancel()
        running.wait(_END_SECONDS)
        raise
    if running.report is None or running.error:
        raise RuntimeError(f"vidrestore: {running.error}")
    return running.report


def source_of(video: Any) -> tuple[Path, list[str]]:
    """The file of a VIDEO, and the arguments that restrict a command to its trimmed part."""
    source = video.get_stream_source()
    if not isinstance(source, str):
        path = temporary_file(".mkv")  # the suffix does not matter: the format is recognised by the content
        path.write_bytes(source.read())
        return path, []
    start, duration = getattr(video, "get_active_trim_window", lambda: (0.0, 0.0))()
    words = ["--start", f"{start:.6f}"] if start else []
    return Path(source), words + (["--end", f"{start + duration:.6f}"] if duration else [])


def temporary_file(suffix: str) -> Path:
    """A new file name in ComfyUI's temporary folder, which ComfyUI empties when it starts."""
    folder = Path(folder_paths.get_temp_directory())
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"vidrestore_{uuid.uuid4().hex}{suffix}"
