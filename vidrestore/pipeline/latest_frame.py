"""Writes the newest restored frame to a file at intervals, if the environment names a file."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from vidrestore.runtime.latest_frame import LATEST_FRAME
from vidrestore.types import Frame

EVERY_SECONDS = 2.0
"""Interval between frames with faces; for frames without faces it is three times as long."""
MAX_SIDE = 960
_QUALITY = 90


class LatestFrame:
    """The file named by `VIDRESTORE_LATEST_FRAME`, if it is set. Errors are ignored."""

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
        new = self._path.with_name(f".{self._path.name}.{os.getpid()}.new")
        with suppress(OSError):
            try:
                new.write_bytes(_jpeg(frame))
                new.replace(self._path)
            finally:
                new.unlink(missing_ok=True)


def _jpeg(frame: Frame) -> bytes:
    import cv2

    from vidrestore.colour.yuv_rgb import downscaled_rgb
    from vidrestore.faces.orientation import upright_frame

    picture = downscaled_rgb(upright_frame(frame), MAX_SIDE)[0]
    return bytes(cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes())
