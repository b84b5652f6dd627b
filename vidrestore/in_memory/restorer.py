"""`vidrestore.Restorer`: restores pictures in memory with networks that are loaded once."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from fractions import Fraction
from numbers import Rational
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Unpack

from numpy.typing import NDArray

from vidrestore.errors import UsageError
from vidrestore.in_memory.callers_iterator import CallersIterator
from vidrestore.in_memory.crops import crop_from_face, face_from_crop
from vidrestore.in_memory.pictures import kind_of
from vidrestore.in_memory.result import Restored, restored
from vidrestore.in_memory.stream import restore_stream
from vidrestore.runtime.openmp import import_torch
from vidrestore.settings import Settings, make_settings
from vidrestore.settings.keywords import FaceKeywords, Precision, RestorerKeywords, SettingsKeywords
from vidrestore.tracking import needs_inspection
from vidrestore.types import AlignedFace, Detection, FrameFaces, RestoredFace, TrackedFace

if TYPE_CHECKING:
    from vidrestore.detection import FaceDetector
    from vidrestore.restoration import NetworkRestorer

_FOR_FILES = SettingsKeywords.__annotations__.keys() - RestorerKeywords.__annotations__.keys()
"""Settings for reading and writing files."""


class Restorer:
    """Restores faces of pictures in memory; loads its networks once.

    Several threads may use it: calls of `image` and `aligned` wait for each other, streams run beside them.
    `close`, or leaving a `with` block, releases the networks; streams that are open end by themselves.
    """

    def __init__(
        self,
        *,
        model: str = "compact",
        device: str = "auto",
        precision: Precision = "auto",
        **settings: Unpack[FaceKeywords],
    ) -> None:
        """Loads the networks.

        Args:
            model: compact (embedded), daefr, or a path to weights.
            device: auto, cpu, cuda, cuda:N or mps.
            precision: auto, float32 or bfloat16.
            settings: The fields of `vidrestore.Settings` that concern faces: strength, fidelity, grain,
                temporal, deflicker, faces, min_face, detector, batch.

        Raises:
            UsageError: There is no such setting, or it concerns files.
            WeightsError, DeviceError: The networks cannot be loaded.
        """
        if unfit := sorted(_FOR_FILES & settings.keys()):
            raise UsageError(f"{', '.join(unfit)}: for files only; use vidrestore.restore")
        self._settings = make_settings(model=model, device=device, precision=precision, **settings)
        if needs_inspection(self._settings.faces):
            raise UsageError("people, sizes and positions are chosen for files only, by vidrestore.restore")
        self._networks: tuple[NetworkRestorer, FaceDetector] | None = _load(self._settings)
        self._lock = threading.RLock()
        self._process = os.getpid()

    def __enter__(self) -> Restorer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Releases the networks; the restorer cannot be used any more."""
        with self._lock:
            self._networks = None

    def image(self, picture: Any) -> Restored:
        """Restores a single picture.

        Args:
            picture: An array or a PyTorch tensor, (H, W, 3) RGB, (H, W, 4) RGBA or (H, W) grey; uint8,
                uint16, or float32 in 0..1. Or an `av.VideoFrame`, or a `vidrestore.Frame` of planes, in any
                pixel format: with its own colour, bit for bit as it was away from faces.

        Returns:
            The restored picture, of the same kind, and its faces.

        Raises:
            UsageError: The picture is of another kind, shape or type, or the restorer is closed.
        """
        from vidrestore.faces.alignment import align
        from vidrestore.faces.boxes import smaller_side
        from vidrestore.faces.compositing import composite
        from vidrestore.tracking import select_faces

        self._require()  # in a forked process the lock may be held forever
        with self._lock:
            restorer, detector = self._require()
            kind = kind_of(picture)
            frame = kind.to_frame(picture, 0, Fraction(25))
            found = [d for d in detector.detect(frame) if smaller_side(d.box) >= self._settings.min_face]
            tracked = FrameFaces(frame=frame, faces=tuple(map(_as_track, range(len(found)), found)))
            (tracked,) = select_faces([tracked], self._settings.faces)
            aligned = align(tracked, restorer.size, own_size=restorer.estimates)
            item = FrameFaces(frame=frame, faces=_restore_alone(restorer, aligned.faces))
            result = composite(item, strength=self._settings.strength, grain=self._settings.grain)
        return restored(kind.from_frame(result, picture, frame), frame, result, item.faces, tracked.faces)

    def frames(self, pictures: Iterable[Any], *, frame_rate: float | Fraction = 25) -> Generator[Restored]:
        """Restores a stream of pictures, with faces tracked over time.

        Memory does not grow with the length of the stream. Results are delayed by some pictures. Closing the
        generator ends the work, even while `pictures` waits for its next picture. It may be advanced and
        closed by any thread, one at a time.

        Args:
            pictures: Pictures as for `image`, all of the same kind, shape and type, in the order in which
                they are shown. Times and colour of PyAV's pictures and of frames stay with them.
            frame_rate: Pictures per second, for pictures that have no time of their own, or the same time as
                the one before.

        Yields:
            One result for each picture, in order.

        Raises:
            UsageError: A picture is of another kind, shape or type, or earlier than the one before; there is
                no frame rate; or the restorer is closed.
        """
        restorer, detector = self._require()
        # Without the lock: the caller's iterator may use this restorer, in the thread that reads it.
        given = CallersIterator(_several(pictures))
        results = restore_stream(given, _rate(frame_rate), restorer, detector, self._settings)
        return _in_own_thread(results, given)

    def aligned(self, crops: Iterable[NDArray[Any]]) -> list[NDArray[Any]]:
        """Restores aligned faces, each independently, without detection and compositing.

        Args:
            crops: Several faces, (S, S, 3) RGB each, aligned to FFHQ's five points; uint8, uint16, or float32
                in 0..1. At fidelity 0, results are the network's own drawing, including its colours.

        Returns:
            The restored crops, in the same order and types.

        Raises:
            UsageError: A crop has another shape or type, or the restorer is closed.
        """
        from vidrestore.restoration import OomRetryRestorer
        from vidrestore.restoration.aligned import restore_aligned

        self._require()
        crops = _list_of(crops)  # without the lock: the caller's iterator may wait for this restorer
        faces = [face_from_crop(crop) for crop in crops]
        with self._lock:
            restorer, _ = self._require()
            batch = self._settings.batch or 4
            results = restore_aligned(OomRetryRestorer(restorer), faces, batch=batch, own_colour=True)
        return [crop_from_face(face.picture, crop) for face, crop in zip(results, crops, strict=True)]

    def __reduce__(self) -> NoReturn:
        raise UsageError("a Restorer cannot be copied or sent; create one in each process")

    def _require(self) -> tuple[NetworkRestorer, FaceDetector]:
        if os.getpid() != self._process:  # threads of the networks are not copied by a fork
            raise UsageError("this Restorer belongs to another process; create one in each process")
        if self._networks is None:
            raise UsageError("this Restorer is closed; create a new one")
        return self._networks


def _load(settings: Settings) -> tuple[NetworkRestorer, FaceDetector]:
    import_torch()
    from vidrestore.detection import make_detector
    from vidrestore.restoration import make_restorer
    from vidrestore.weights import model_path

    restorer = make_restorer(
        Path(model_path(settings.model)),
        device=settings.device,
        fidelity=settings.fidelity,
        precision=settings.precision,
        compile_networks=settings.compile,
    )
    return restorer, make_detector(settings.detector, settings.device, min_face=settings.min_face)


def _in_own_thread(results: Iterator[Restored], given: CallersIterator[Any]) -> Generator[Restored]:
    """The results, computed in another thread, where the pipeline may change torch's number of threads."""
    from vidrestore.runtime.pipeline_threads import Prefetch

    with Prefetch(results, items=1, interrupt=given.stop) as ahead:
        yield from ahead


def _restore_alone(restorer: NetworkRestorer, faces: Sequence[AlignedFace]) -> tuple[RestoredFace, ...]:
    from vidrestore.restoration import OomRetryRestorer
    from vidrestore.restoration.aligned import restore_aligned_faces

    return restore_aligned_faces(OomRetryRestorer(restorer), faces)


def _as_track(number: int, face: Detection) -> TrackedFace:
    return TrackedFace(
        track_id=number, box=face.box, landmarks=face.landmarks, score=face.score, observed=True
    )


def _several(pictures: Iterable[Any]) -> Iterator[Any]:
    """An iterator of several pictures; not of the rows of a single one.

    Raises:
        UsageError: It is no iterable, or one picture.
    """
    shape = tuple(getattr(pictures, "shape", ()))
    if len(shape) == 3 and shape[2] in (3, 4):
        raise UsageError(f"frames takes several pictures, got one of shape {shape}; for one use image")
    try:
        return iter(pictures)
    except TypeError as error:
        raise UsageError(
            f"frames takes a list or an iterator of pictures, got {_kind_name(pictures)}"
        ) from error


def _list_of(crops: Iterable[NDArray[Any]]) -> list[NDArray[Any]]:
    if getattr(crops, "ndim", 4) != 4:
        shape = tuple(crops.shape)  # type: ignore[attr-defined]
        raise UsageError(f"aligned takes a list of faces, got one array of shape {shape}; pass [face]")
    try:
        return list(crops)
    except TypeError as error:
        raise UsageError(f"aligned takes a list of faces, got {_kind_name(crops)}") from error


def _kind_name(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _rate(frame_rate: Any) -> Fraction:
    try:
        exact = frame_rate if isinstance(frame_rate, (str, Rational)) else float(frame_rate)
        rate = Fraction(exact).limit_denominator(100_000)
    except (ValueError, TypeError, OverflowError, ZeroDivisionError):
        rate = Fraction(0)
    if rate <= 0:
        raise UsageError(f"frame_rate is a number of pictures per second above 0, got {frame_rate!r}")
    return rate
