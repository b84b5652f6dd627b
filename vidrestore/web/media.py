"""Thumbnails and previews for the page. A preview equals the frame of a run.

All decoding and computing is done in separate processes, so that a damaged file cannot end the server.
"""

from __future__ import annotations

import base64
import importlib
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vidrestore.errors import ProcessingError, VidrestoreError

if TYPE_CHECKING:
    from vidrestore.jobs.preview import Previewer
    from vidrestore.types import Frame

Picture = NDArray[np.uint8]
THUMBNAIL_SIDE = 200
MAX_THUMBNAILS = 60


class MediaWorker:
    """Two processes: one for thumbnails, and one for previews, which keeps the networks loaded."""

    def __init__(self) -> None:
        self._pools: dict[str, ProcessPoolExecutor] = {}

    def warm_up(self) -> None:
        """Starts the process for thumbnails, so that the first one comes sooner."""
        self._pool("looks").submit(_load_libraries)

    def facts(self, path: Path) -> dict[str, Any]:
        """The properties that a container states about its video. Raises VidrestoreError."""
        return dict(self._run("looks", _facts, path))

    def thumbnail(self, path: Path, at: float) -> bytes:
        """A small JPEG of the frame at a time [s]. Raises VidrestoreError."""
        return bytes(self._run("looks", _thumbnail, path, at))

    def preview(self, path: Path, at: float, settings: dict[str, Any]) -> dict[str, Any]:
        """The frame before and after as PNG in `data:` addresses, and facts. Raises VidrestoreError."""
        return dict(self._run("previews", _preview, path, at, settings))

    def close(self) -> None:
        """Ends the processes."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, name: str, work: Any, *arguments: Any) -> Any:
        try:
            kind, value = self._pool(name).submit(_answer, work, arguments).result()
        except BrokenProcessPool as error:
            self._pools.pop(name, None)
            raise ProcessingError("the process that reads this file ended; it may be damaged") from error
        if kind == "error":
            raise ProcessingError(value)
        return value

    def _pool(self, name: str) -> ProcessPoolExecutor:
        if name not in self._pools:
            self._pools[name] = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
        return self._pools[name]


def _answer(work: Any, arguments: tuple[Any, ...]) -> tuple[str, Any]:
    try:
        return "value", work(*arguments)
    except VidrestoreError as error:
        return "error", str(error)


def _load_libraries() -> None:
    import cv2  # noqa: F401

    import vidrestore.video  # noqa: F401

    with suppress(ImportError):
        importlib.import_module("decord")


def _facts(path: Path) -> dict[str, Any]:
    from vidrestore.video import probe

    info = probe(path)
    return {
        "width": info.width,
        "height": info.height,
        "frame_rate": float(info.frame_rate),
        "frames": info.frame_count,
        "duration": None if info.duration is None else float(info.duration),
        "codec": info.codec,
        "streams": list(info.other_streams),
    }


def _thumbnail(path: Path, at: float) -> bytes:
    import cv2

    picture = _by_decord(path, at)
    if picture is None:
        picture = _by_reading(path, at)
    scale = THUMBNAIL_SIDE / max(picture.shape[:2])
    if scale < 1:
        size = (max(round(picture.shape[1] * scale), 1), max(round(picture.shape[0] * scale), 1))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    return bytes(cv2.imencode(".jpg", picture[:, :, ::-1])[1].tobytes())


_reader: tuple[Path, Any] | None = None
"""decord's reader of the last file."""


def _by_decord(path: Path, at: float) -> Picture | None:
    """The nearest frame, by random access; None: decord is missing or cannot read the file."""
    from vidrestore.video import probe

    global _reader
    try:
        if _reader is None or _reader[0] != path:
            probe(path)  # decord would also open playlists and addresses
            decord: Any = importlib.import_module("decord")
            _reader = path, decord.VideoReader(str(path), num_threads=1)
        reader = _reader[1]
        number = min(max(round(at * reader.get_avg_fps()), 0), len(reader) - 1)
        return np.asarray(reader[number].asnumpy(), np.uint8)
    except (ImportError, RuntimeError, IndexError, OSError):
        _reader = None
        return None


def _by_reading(path: Path, at: float) -> Picture:
    from vidrestore.colour.yuv_rgb import downscaled_rgb
    from vidrestore.errors import InputError
    from vidrestore.faces.orientation import upright_frame
    from vidrestore.video import open_input, probe, read_frames

    given = open_input(path)
    frames = read_frames(given, probe(given), start=at or None)
    frame = next(iter(frames), None)
    frames.close()  # type: ignore[attr-defined]
    if frame is None:
        raise InputError(f"{path} has no frame at {at:g} s")
    return downscaled_rgb(upright_frame(frame), THUMBNAIL_SIDE)[0]


_previewer: tuple[tuple[Any, ...], Previewer] | None = None
"""The previewer of the last frame. It only composites again while other settings stay the same."""
_COMPARED = ("strength", "fidelity", "grain")


def _preview(path: Path, at: float, values: dict[str, Any]) -> dict[str, Any]:
    from vidrestore.jobs.preview import Previewer, own_variant
    from vidrestore.settings import make_settings

    global _previewer
    started = time.monotonic()
    settings = make_settings(**values)
    status = path.stat()
    tracked = settings.model_dump_json(exclude=set(_COMPARED))
    key = (path, status.st_size, status.st_mtime_ns, at, tracked)
    if _previewer is None or _previewer[0] != key:
        _previewer = None
        _previewer = key, Previewer(path, [at], settings)
    (shown,) = _previewer[1].show([own_variant(settings)])
    return {
        "at": shown.at,
        "index": shown.index,
        "before": _address(shown.before),
        "after": _address(shown.cells[0].after),
        "drawn": round(shown.cells[0].drawn, 4),
        "faces": [
            {"track": face.track_id, "box": [round(float(v), 1) for v in face.box]} for face in shown.faces
        ],
        "seconds": round(time.monotonic() - started, 2),
    }


def _address(frame: Frame) -> str:
    """The frame as it is displayed, as PNG in a `data:` address."""
    import cv2

    from vidrestore.colour.yuv_rgb import downscaled_rgb
    from vidrestore.faces.orientation import upright_frame

    upright = upright_frame(frame)
    picture = downscaled_rgb(upright, max(upright.width, upright.height))[0]
    png = cv2.imencode(".png", picture[:, :, ::-1])[1].tobytes()
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
