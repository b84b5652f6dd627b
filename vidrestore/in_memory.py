"""Restoring pictures that are in memory: one at a time, as a stream, or aligned faces.

with vidrestore.Restorer(device="cpu") as restorer:
    result = restorer.image(picture)          # (H, W, 3) RGB
    for restored in restorer.frames(pictures, frame_rate=25):
        ...
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from vidrestore.colour.arrays import array_from_frame, frame_from_array
from vidrestore.errors import UsageError
from vidrestore.settings import Settings, make_settings
from vidrestore.settings_keywords import FaceKeywords, RestorerKeywords, SettingsKeywords
from vidrestore.tracking import names_people
from vidrestore.types import (
    AlignedFace,
    Detection,
    FloatArray,
    Frame,
    FrameFaces,
    RestoredFace,
    TrackedFace,
    VideoInfo,
)

if TYPE_CHECKING:
    from vidrestore.detection import FaceDetector
    from vidrestore.restoration import NetworkRestorer

_FOR_FILES = SettingsKeywords.__annotations__.keys() - RestorerKeywords.__annotations__.keys()
"""Settings that say how files are read and written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredFaceInfo:
    """One face of a restored picture."""

    track_id: int
    """The same for one person throughout a stream."""
    box: FloatArray
    """(4,) x0 y0 x1 y1 [px], half-open."""
    landmarks: FloatArray
    """(5, 2) x y [px]: left eye, right eye, nose, left and right mouth corner as seen in the picture."""
    drawn: float
    """Share of the face's detail that was drawn, 0..1."""
    crop_before: FloatArray
    """(S, S, 3) RGB in 0..1: the aligned face as it came."""
    crop_after: FloatArray
    """(S, S, 3) RGB in 0..1: the aligned face, restored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A picture with its faces restored."""

    picture: NDArray[Any]
    """Of the shape and type of the picture that was given."""
    faces: tuple[RestoredFaceInfo, ...]
    mask: NDArray[np.bool_]
    """(H, W): where the picture was changed."""


class Restorer:
    """Restores faces of pictures in memory; loads its networks once.

    It may be used from several threads: calls wait for each other. `close`, or leaving a `with` block, lets
    go of the networks.
    """

    def __init__(
        self, *, model: str = "compact", device: str = "auto", **settings: Unpack[FaceKeywords]
    ) -> None:
        """Load the networks.

        Args:
            model: compact (embedded), daefr, or a path to weights.
            device: auto, cpu, cuda, cuda:N or mps.
            settings: the fields of `vidrestore.Settings` that concern faces: strength, fidelity, grain,
                temporal, deflicker, faces, min_face, detector, batch.

        Raises:
            UsageError: there is no such setting, or it concerns files.
            WeightsError, DeviceError: the networks cannot be loaded.
        """
        if unfit := sorted(_FOR_FILES & settings.keys()):
            raise UsageError(f"{', '.join(unfit)} concerns files: use vidrestore.restore for it")
        self._settings = make_settings(model=model, device=device, **settings)
        if names_people(self._settings.faces):
            raise UsageError("people are chosen in files only, by vidrestore.restore; name tracks here")
        self._networks: tuple[NetworkRestorer, FaceDetector] | None = _load(self._settings)
        self._lock = threading.RLock()

    def __enter__(self) -> Restorer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the networks; the restorer cannot be used any more."""
        with self._lock:
            self._networks = None

    def image(self, picture: NDArray[Any]) -> Restored:
        """A picture with its faces restored, by itself.

        Args:
            picture: (H, W, 3) RGB, (H, W, 4) RGBA or (H, W) grey; uint8, uint16, or float32 in 0..1.

        Raises:
            UsageError: the array is none of these, or the restorer is closed.
        """
        from vidrestore.faces.alignment import align
        from vidrestore.faces.boxes import smaller_side
        from vidrestore.faces.compositing import composite
        from vidrestore.tracking import select_faces

        with self._lock:
            restorer, detector = self._require()
            frame = frame_from_array(picture)
            found = [d for d in detector.detect(frame) if smaller_side(d.box) >= self._settings.min_face]
            tracked = FrameFaces(frame=frame, faces=tuple(map(_as_track, range(len(found)), found)))
            (tracked,) = select_faces([tracked], self._settings.faces)
            aligned = align(tracked, restorer.size, own_size=restorer.estimates)
            item = FrameFaces(frame=frame, faces=_restore_alone(restorer, aligned.faces))
            result = composite(item, strength=self._settings.strength, grain=self._settings.grain)
        return _restored(picture, frame, result, item.faces, tracked.faces)

    def frames(
        self, pictures: Iterable[NDArray[Any]], *, frame_rate: float | Fraction = 25
    ) -> Iterator[Restored]:
        """A stream of pictures with their faces tracked and restored, one for each, in order.

        Memory is bounded, however long the stream is; results come some pictures late. Closing the iterator
        ends the work.

        Args:
            pictures: as `image` takes them, all of one shape and type.
            frame_rate: pictures a second.

        Raises:
            UsageError: a picture does not fit, or the restorer is closed.
        """
        from vidrestore.detection import detect
        from vidrestore.pipeline import restore_tracked_faces
        from vidrestore.report import RunStats
        from vidrestore.tracking import select_faces, track

        restorer, detector = self._require()
        rate = Fraction(frame_rate).limit_denominator(100_000)
        waiting: dict[int, tuple[NDArray[Any], Frame, tuple[TrackedFace, ...]]] = {}
        source = iter(pictures)
        first = next(source, None)
        if first is None:
            return
        info = _stream_info(frame_from_array(first, frame_rate=rate), rate)

        def read() -> Iterator[Frame]:
            for index, picture in enumerate(_chain(first, source)):
                if picture.shape != first.shape or picture.dtype != first.dtype:
                    raise UsageError(
                        f"picture {index} is {picture.shape} {picture.dtype}, the first one "
                        f"{first.shape} {first.dtype}"
                    )
                frame = frame_from_array(picture, index=index, frame_rate=rate)
                waiting[index] = (picture, frame, ())
                yield frame

        def remember(items: Iterable[FrameFaces[TrackedFace]]) -> Iterator[FrameFaces[TrackedFace]]:
            for item in items:
                picture, frame, _ = waiting[item.frame.index]
                waiting[item.frame.index] = (picture, frame, item.faces)
                yield item

        with self._lock:
            detections = detect(read(), detector, min_face=self._settings.min_face)
            tracked = remember(select_faces(track(detections), self._settings.faces))
            stats = RunStats(total=None, strict=False, on_progress=None)
            for frame, faces in restore_tracked_faces(tracked, restorer, info, self._settings, stats):
                picture, before, tracks = waiting.pop(frame.index)
                yield _restored(picture, before, frame, faces, tracks)

    def aligned(self, crops: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """Aligned faces restored, each by itself: no detection, no compositing.

        Args:
            crops: (S, S, 3) RGB each, aligned to FFHQ's five points; uint8, uint16, or float32 in 0..1. S is
                a multiple of 16. At fidelity 0, results are what the network draws, colour included.

        Raises:
            UsageError: a crop does not fit, or the restorer is closed.
        """
        from vidrestore.restoration.aligned import restore_aligned

        with self._lock:
            restorer, _ = self._require()
            faces = [_as_face(crop) for crop in crops]
            batch = self._settings.batch or 4
            results = restore_aligned(restorer, faces, batch=batch, own_colour=True)
            return [_as_type(face.picture, crop) for face, crop in zip(results, crops, strict=True)]

    def _require(self) -> tuple[NetworkRestorer, FaceDetector]:
        if self._networks is None:
            raise UsageError("this Restorer is closed: make a new one")
        return self._networks


def _load(settings: Settings) -> tuple[NetworkRestorer, FaceDetector]:
    from vidrestore.detection import make_detector
    from vidrestore.restoration import make_restorer
    from vidrestore.weights import model_path

    restorer = make_restorer(
        Path(model_path(settings.model)), device=settings.device, fidelity=settings.fidelity
    )
    return restorer, make_detector(settings.detector, settings.device, min_face=settings.min_face)


def _restore_alone(restorer: NetworkRestorer, faces: Sequence[AlignedFace]) -> tuple[RestoredFace, ...]:
    from vidrestore.restoration.aligned import restore_aligned_faces

    return restore_aligned_faces(restorer, faces)


def _as_track(number: int, face: Detection) -> TrackedFace:
    return TrackedFace(
        track_id=number, box=face.box, landmarks=face.landmarks, score=face.score, observed=True
    )


def _restored(
    picture: NDArray[Any],
    before: Frame,
    after: Frame,
    faces: Sequence[RestoredFace],
    tracks: Sequence[TrackedFace],
) -> Restored:
    boxes = {face.track_id: face.box for face in tracks}
    changed = np.zeros((before.height, before.width), np.bool_)
    for old, new in zip(before.planes, after.planes, strict=True):
        changed |= np.asarray(old != new)
    infos = tuple(
        RestoredFaceInfo(
            track_id=face.track_id,
            box=boxes[face.track_id],
            landmarks=face.landmarks,
            drawn=face.drawn,
            crop_before=face.original,
            crop_after=face.image,
        )
        for face in faces
    )
    return Restored(picture=array_from_frame(after, picture, before), faces=infos, mask=changed)


def _stream_info(frame: Frame, rate: Fraction) -> VideoInfo:
    return VideoInfo(
        path=Path("frames"),
        width=frame.width,
        height=frame.height,
        frame_rate=rate,
        time_base=frame.time_base,
        pixel_aspect=Fraction(1),
        frame_count=None,
        duration=None,
        orientation=frame.orientation,
        pixel_format=frame.format,
        colour=frame.colour,
        field_order="progressive",
        codec="rawvideo",
        bit_rate=None,
        other_streams=(),
    )


def _chain(first: NDArray[Any], rest: Iterator[NDArray[Any]]) -> Iterator[NDArray[Any]]:
    yield first
    yield from rest


def _as_face(crop: NDArray[Any]) -> FloatArray:
    if crop.ndim != 3 or crop.shape[2] != 3 or crop.shape[0] != crop.shape[1] or crop.shape[0] % 16:
        raise UsageError(
            f"an aligned face is an array (S, S, 3) with S a multiple of 16, got one of shape {crop.shape}"
        )
    if crop.dtype == np.float32:
        return np.clip(crop, 0, 1)
    if crop.dtype not in (np.uint8, np.uint16):
        raise UsageError(f"an aligned face holds uint8, uint16 or float32, got {crop.dtype}")
    return crop.astype(np.float32) / np.float32(np.iinfo(crop.dtype).max)


def _as_type(face: FloatArray, like: NDArray[Any]) -> NDArray[Any]:
    if like.dtype == np.float32:
        return face
    peak = np.iinfo(like.dtype).max
    return np.round(np.clip(face, 0, 1) * peak).astype(like.dtype)
