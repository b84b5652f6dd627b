"""What to tell the user when an input cannot be opened."""

from __future__ import annotations

from pathlib import Path

from vidrestore.errors import InputError
from vidrestore.video.reading.allowed_formats import describe_text
from vidrestore.video.reading.input import Input


def check_file(path: Path) -> None:
    """Checks that there is a file with content.

    Raises:
        InputError: There is no such file, it is not a regular file, or it is empty.
    """
    if not path.exists():
        raise InputError(f"there is no file {path}; check the name and the folder")
    if path.is_dir():
        raise InputError(f"{path} is a folder; give the video file itself")
    if not path.is_file():
        raise InputError(f"{path} is not a regular file; give a video file, or - to read standard input")
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty; copy or export it again")


def open_error(input: Input) -> str:
    """The error message for an input that FFmpeg could not open. Reads the start of a file."""
    path = input.path
    if input.pipe is not None and input.pipe.is_empty:
        return "no data came through the pipe; check the messages of the program before it"
    if input.pipe is not None:
        return (
            "the data from the pipe is not a video that can be read without seeking; "
            "pipe y4m or NUT, or name its format with --input-format"
        )
    if input.pictures is not None:
        return f"the pictures {path} are not in a known format; check that they open in a viewer"
    if input.format is not None:
        return f"{path} is not {input.format} video; leave --input-format out or check the file"
    with path.open("rb") as file:
        head = file.read(1024)
    if (text := describe_text(head)) is not None:
        return f"{path} is {text}, which only names other files; give the video itself"
    if head[4:8] == b"ftyp":
        return f"{path} was cut short: the index of its frames (moov) is missing; copy or export it again"
    return f"{path} is not a video in a known format; check that it plays in a player"
