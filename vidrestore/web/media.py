"""Thumbnails and previews for the page. A preview equals the frame of a run.

All decoding and computing is done in separate processes, so that a damaged file cannot end the server.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar, cast

from vidrestore.errors import InputError, ProcessingError, UsageError, VidrestoreError
from vidrestore.runtime.end_with_parent import end_with_parent

if TYPE_CHECKING:
    from vidrestore.jobs.preview import Previewer
    from vidrestore.types import Frame, TrackedFace, VideoInfo
    from vidrestore.video import Input

T = TypeVar("T")
_QUALITY = 90
_CLOCKS_KEPT = 8
"""Number of broadcasts whose clock is remembered."""
_FileState = tuple[Path, int, int]
"""The path, the size and the time of the last change."""


class MediaWorker:
    """Processes for thumbnails, for previews, with the networks loaded, and for the clocks of broadcasts."""

    def __init__(self) -> None:
        self._pools: dict[str, ProcessPoolExecutor] = {}
        self._clocks: dict[_FileState, Future[tuple[str, Any]]] = {}
        """Broadcasts that are read to the end for restarts of their clock."""
        self._lock = Lock()

    def warm_up(self) -> None:
        """Starts the process for thumbnails, so that the first one comes sooner."""
        with self._lock:
            self._submit("looks", _load_libraries)

    def facts(self, path: Path, *, is_exact: bool = False) -> dict[str, Any]:
        """The properties that a container states about its video. Raises VidrestoreError.

        Args:
            path: The video.
            is_exact: Whether to wait until a broadcast was read to its end: its clock may restart. Otherwise
                `exact` is false in the facts of such a file until then.
        """
        read = self._with_clock(path, waits=is_exact)
        facts = dict(self._run("looks", _facts, path, read))
        return {**facts, "exact": read is not None or not _is_broadcast(path)}

    def frame(self, path: Path, at: float, side: int, *, is_near: bool) -> bytes:
        """A JPEG of the frame at a time. Raises VidrestoreError.

        Args:
            path: The video.
            at: The time [s].
            side: The longest side of the picture [px]; smaller frames keep their size.
            is_near: Whether to give the key frame before that time instead, which is faster.
        """
        read = self._with_clock(path, waits=not is_near)
        return bytes(self._run("looks", _frame, path, at, side, is_near, read))

    def preview(
        self, path: Path, at: float, settings: dict[str, Any], analysis: Path | None
    ) -> dict[str, Any]:
        """The frame before and after as PNG in `data:` addresses, and facts. Raises VidrestoreError.

        Args:
            path: The video.
            at: The time [s].
            settings: The checked settings.
            analysis: The analysis by `jobs.recorded_inspection`; None: the video is analysed up to the frame.
        """
        return dict(self._run("previews", _preview, path, at, settings, analysis))

    def close(self) -> None:
        """Ends the processes, even during their work."""
        for pool in self._pools.values():
            processes = dict(getattr(pool, "_processes", None) or {})  # kill_workers() comes with Python 3.14
            pool.shutdown(wait=False, cancel_futures=True)
            for process in processes.values():
                process.kill()

    def _with_clock(self, path: Path, *, waits: bool) -> Input | None:
        """A broadcast with the restarts of its clock; None: another file, or it is still being read.

        Reading begins with the first call.
        """
        if not _is_broadcast(path):
            return None
        return _asked_twice(lambda: self._clock(_file_state(path), waits=waits))

    def _clock(self, state: _FileState, *, waits: bool) -> Input | None:
        with self._lock:
            if state not in self._clocks:
                while len(self._clocks) >= _CLOCKS_KEPT:
                    self._clocks.pop(next(iter(self._clocks))).cancel()
                self._clocks[state] = self._submit("clocks", _read_clock, state[0])
            clock = self._clocks[state]
        if not waits and not clock.done():
            return None
        try:
            return cast("Input", _value(clock))
        except CancelledError as error:
            raise ProcessingError(
                "too many transport or program streams are read at the same time; "
                "open this one again in a moment"
            ) from error
        except (VidrestoreError, BrokenProcessPool):
            with self._lock:
                if self._clocks.get(state) is clock:  # another request may have started to read it again
                    del self._clocks[state]
            raise

    def _run(self, name: str, work: Any, *arguments: Any) -> Any:
        def ask() -> Any:
            with self._lock:
                answer = self._submit(name, work, *arguments)
            return _value(answer)

        return _asked_twice(ask)

    def _submit(self, name: str, work: Any, *arguments: Any) -> Future[tuple[str, Any]]:
        """Gives work to a pool, with the lock held. A pool whose process has ended is replaced here only."""
        try:
            return self._pool(name).submit(_answer, work, arguments)
        except BrokenProcessPool:
            del self._pools[name]
            return self._pool(name).submit(_answer, work, arguments)

    def _pool(self, name: str) -> ProcessPoolExecutor:
        if name not in self._pools:
            self._pools[name] = ProcessPoolExecutor(
                1, mp_context=get_context("spawn"), initializer=end_with_parent
            )
        return self._pools[name]


def _asked_twice(ask: Callable[[], T]) -> T:
    """The answer of a pool. It is asked again if its process ended, as another file may have ended it."""
    try:
        return ask()
    except BrokenProcessPool:
        pass
    try:
        return ask()
    except BrokenProcessPool as error:
        raise ProcessingError("the process that reads this file ended; it may be damaged") from error


def _value(answer: Future[tuple[str, Any]]) -> Any:
    kind, value = answer.result()
    if kind == "mistake":
        raise InputError(value)
    if kind == "error":
        raise ProcessingError(value)
    return value


def _file_state(path: Path) -> _FileState:
    status = path.stat()
    return path, status.st_size, status.st_mtime_ns


def _is_broadcast(path: Path) -> bool:
    from vidrestore.video import is_broadcast

    return is_broadcast(path)


def _read_clock(path: Path) -> Input:
    from vidrestore.video import open_input

    return open_input(path)


def _answer(work: Any, arguments: tuple[Any, ...]) -> tuple[str, Any]:
    try:
        return "value", work(*arguments)
    except (UsageError, InputError) as error:
        return "mistake", str(error)
    except VidrestoreError as error:
        return "error", str(error)


def _load_libraries() -> None:
    import cv2  # noqa: F401

    import vidrestore.colour.yuv_rgb
    import vidrestore.video  # noqa: F401


def _facts(path: Path, read: Input | None) -> dict[str, Any]:
    from vidrestore.video import probe

    info = probe(read or path)
    return {
        "width": info.width,
        "height": info.height,
        "frame_rate": float(info.frame_rate),
        "frames": info.frame_count,
        "duration": None if info.duration is None else float(info.duration),
        "codec": info.codec,
        "streams": list(info.other_streams),
    }


def _frame(path: Path, at: float, side: int, is_near: bool, read: Input | None) -> bytes:
    import cv2

    from vidrestore.colour.yuv_rgb import downscaled_rgb
    from vidrestore.faces.orientation import upright_frame
    from vidrestore.video import key_frame_near, read_frames

    given, info = _opened(path, read)
    if is_near:
        frame = key_frame_near(given, info, at)
    else:
        with closing(read_frames(given, info, start=at or None)) as frames:  # type: ignore[type-var]
            frame = next(iter(frames), None)
    if frame is None:
        raise InputError(f"{path} has no frame at {at:g} s")
    picture = downscaled_rgb(upright_frame(frame), side)[0]
    return bytes(cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes())


_last_opened: tuple[tuple[_FileState, bool], tuple[Input, VideoInfo]] | None = None
"""The last file, and whether the restarts of its clock are known."""


def _opened(path: Path, read: Input | None) -> tuple[Input, VideoInfo]:
    from vidrestore.video import open_input, probe

    global _last_opened
    key = (_file_state(path), read is not None)
    if _last_opened is None or _last_opened[0] != key:
        given = read or open_input(path, reads_clock=False)
        _last_opened = key, (given, probe(given))
    return _last_opened[1]


_previewer: tuple[tuple[Any, ...], Previewer] | None = None
"""The previewer of the last frame. It only composites again while other settings stay the same."""
_COMPARED = ("strength", "fidelity", "grain", "sidecar")


def _preview(path: Path, at: float, values: dict[str, Any], analysis: Path | None) -> dict[str, Any]:
    from vidrestore.jobs.preview import Previewer, own_variant
    from vidrestore.settings import make_settings

    global _previewer
    started, worked = time.monotonic(), time.process_time()
    settings = make_settings(**values)
    status = path.stat()
    tracked = settings.model_dump_json(exclude=set(_COMPARED))
    key = (path, status.st_size, status.st_mtime_ns, at, tracked)
    if _previewer is None or _previewer[0] != key:
        _previewer = None
        _previewer = key, Previewer(path, [at], settings, analysis=analysis)
    _previewer[1].use_sidecar(settings.sidecar)
    analysed = time.monotonic()
    (shown,) = _previewer[1].show([own_variant(settings)])
    restored = time.monotonic()
    before, after = _address(shown.before), _address(shown.cells[0].after)
    ended = time.monotonic()
    return {
        "at": shown.at,
        "index": shown.index,
        "before": before,
        "after": after,
        "drawn": round(shown.cells[0].drawn, 4),
        "faces": [{"track": face.track_id, "box": _shown_box(shown.before, face)} for face in shown.faces],
        "seconds": {
            "analysing": round(analysed - started, 3),
            "restoring": round(restored - analysed, 3),
            "coding": round(ended - restored, 3),
            "total": round(ended - started, 3),
            "processor": round(time.process_time() - worked, 3),
        },
    }


def _shown_box(frame: Frame, face: TrackedFace) -> list[float]:
    """The box in the displayed picture: x0 y0 x1 y1 [px]."""
    from vidrestore.faces.orientation import upright_matrix

    matrix = upright_matrix(frame)
    corners = (face.box.reshape(2, 2) - 0.5) @ matrix[:, :2].T + matrix[:, 2] + 0.5
    return [round(float(value), 1) for value in (*corners.min(0), *corners.max(0))]


def _address(frame: Frame) -> str:
    """The frame as it is displayed, as PNG in a `data:` address."""
    import cv2

    from vidrestore.colour.yuv_rgb import downscaled_rgb
    from vidrestore.faces.orientation import upright_frame

    upright = upright_frame(frame)
    picture = downscaled_rgb(upright, max(upright.width, upright.height))[0]
    png = cv2.imencode(".png", picture[:, :, ::-1])[1].tobytes()
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
