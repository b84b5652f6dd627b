"""A face at each stage of the pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from vidrestore.types.video import FloatArray, Frame

if TYPE_CHECKING:
    from vidrestore.settings.sidecar import FaceTreatment

LEAST_SIDE = 16
"""Pixels a side of the smallest aligned face that is restored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """A face detected in one frame."""

    box: FloatArray
    """(4,) x0 y0 x1 y1 [frame px], half-open."""
    landmarks: FloatArray
    """(5, 2) x y [frame px]: left eye, right eye, nose, left and right mouth corner in the picture."""
    score: float
    """0..1: the detector's confidence in the face and its points."""

    def __post_init__(self) -> None:
        if self.box.shape != (4,) or self.landmarks.shape != (5, 2):
            raise ValueError(
                f"box must be (4,) and landmarks (5, 2), got {self.box.shape}, {self.landmarks.shape}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedFace:
    """A face of a track."""

    track_id: int
    box: FloatArray
    """(4,) smoothed [frame px]."""
    landmarks: FloatArray
    """(5, 2) smoothed [frame px]."""
    score: float
    observed: bool
    """Whether the detector found the face in this frame; otherwise the position is predicted."""
    opacity: float = 1.0
    """0..1: opacity of the restored face; it fades at the start and the end of a track."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignedFace:
    """A face as an upright crop."""

    track_id: int
    to_crop: NDArray[np.float64]
    """(2, 3) similarity, frame px -> crop px."""
    image: FloatArray
    """(S, S, 3) RGB in 0..1; for PQ, HLG and linear video the SDR rendering (`colour/hdr.py`)."""
    landmarks: FloatArray
    """(5, 2) [frame px]."""
    opacity: float = 1.0
    gain: float = 1.0
    """Factor on the brightness that stabilises it over time; not applied to `image`."""
    treatment: FaceTreatment | None = None
    """None: as the settings say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredFace:
    """An aligned face with its restored picture."""

    track_id: int
    to_crop: NDArray[np.float64]
    image: FloatArray
    """(S, S, 3) RGB in 0..1: the restored face."""
    estimate: FloatArray | None
    """(S, S, 3) RGB in 0..1: the estimate without drawn detail; None: the whole face is drawn."""
    original: FloatArray
    """(S, S, 3) RGB in 0..1: the face in the input."""
    landmarks: FloatArray
    opacity: float = 1.0
    gain: float = 1.0
    """Factor on the original's brightness; `image` already includes it."""
    drawn: float = 0.0
    """Share of the restored face's detail that was drawn, 0..1."""
    treatment: FaceTreatment | None = None
    """None: as the settings say."""


FaceT = TypeVar("FaceT", Detection, TrackedFace, AlignedFace, RestoredFace)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameFaces(Generic[FaceT]):
    """A frame and its faces at one pipeline stage."""

    frame: Frame
    faces: tuple[FaceT, ...]
    scene: int = 0
    """Number of the frame's scene, set by tracking; it changes at a cut."""
