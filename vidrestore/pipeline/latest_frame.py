"""Writes the newest restored frame to a file at intervals, if the environment names a file."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from vidrestore.errors import OutputError
from vidrestore.runtime.file_kinds import is_own_kind
from vidrestore.runtime.latest_frame import LATEST_FRAME
from vidrestore.runtime.put_in_place import rename
from vidrestore.types import Frame

EVERY_SECONDS = 2.0
"""Interval between frames with faces; for frames without faces it is three times as long."""
MAX_SIDE = 960
_QUALITY = 90
_LONGEST_NAME = 50
"""Of the file, in the name of the temporary folder."""
_MARK = b"the newest frame of vidrestore"
_START = b"\xff\xd8\xff\xfe" + (len(_MARK) + 2).to_bytes(2, "big") + _MARK
"""Start of a JPEG with the mark as its comment."""


class LatestFrame:
    """The file named by `VIDRESTORE_LATEST_FRAME`, if it is set. Errors are ignored.

    A file that is no earlier newest frame is left alone.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        name = os.environ.get(LATEST_FRAME)
        self._path = Path(name) if name else None
        self._clock, self._due = clock, 0.0

    def show(self, frame: Frame, *, has_faces: bool) -> None:
        """Writes the frame as a JPEG if the interval has passed; the file is always complete."""
        now = self._clock()
        if self._path is None or now < self._due + (0 if has_faces else 2 * EVERY_SECONDS):
            return
        self._due = now + EVERY_SECONDS
        with suppress(OSError, OutputError):
            is_own = _is_own(self._path)
            with TemporaryDirectory(
                prefix=f".{self._path.name[:_LONGEST_NAME]}.", dir=self._path.parent
            ) as folder:
                new = Path(folder) / "new.jpg"
                new.write_bytes(_marked(_jpeg(frame)))
                rename(new, self._path, overwrite=is_own)


def _is_own(path: Path) -> bool:
    """Whether the file is an earlier newest frame; others are never replaced."""
    if not is_own_kind(path, "file"):
        return False
    with path.open("rb") as file:
        return file.read(len(_START)) == _START


def _marked(jpeg: bytes) -> bytes:
    """The JPEG with a comment by which it is recognised later."""
    return _START + jpeg[2:]


def _jpeg(frame: Frame) -> bytes:
    import cv2

    from vidrestore.colour.yuv_rgb import downscaled_rgb
    from vidrestore.faces.orientation import upright_frame

    picture = downscaled_rgb(upright_frame(frame), MAX_SIDE)[0]
    return bytes(cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes())
