"""A frame of the result with the corresponding ones of truth and input, and the faces in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vidrestore.evaluation.measures import Subject
from vidrestore.types import Frame, TrackedFace


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Corresponding frames or pictures of result, truth and input."""

    index: int
    """Number of the frame or picture, from 0."""
    seconds: float
    """Time from the first frame of the video [s]; 0 for pictures."""
    name: str = ""
    """Name of the picture file; '' for videos."""
    frames: Mapping[Subject, Frame] = field(repr=False)
    faces: tuple[TrackedFace, ...] = ()
    """Faces of the reference: the truth or, without one, the result."""
    spared: tuple[TrackedFace, ...] = ()
    """All faces that may have been changed: these and, in videos, those found in the input."""
    whole: bool = True
    """Whether slow measures are computed too: whole pictures; NIQE, MS-SSIM and LPIPS of faces."""
