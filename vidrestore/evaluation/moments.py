"""A frame or picture of the result with those that belong to it, and the faces in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vidrestore.evaluation.measures import Subject
from vidrestore.types import Frame, TrackedFace


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The same moment of the result, the truth and the input, as far as they are given."""

    index: int
    """Number of the frame or picture, from 0."""
    seconds: float
    """From the first frame of the video; 0 for pictures."""
    name: str = ""
    """Of the picture's file; '' for videos."""
    frames: Mapping[Subject, Frame] = field(repr=False)
    faces: tuple[TrackedFace, ...] = ()
    """Those of the reference: the truth or, where there is none, the result."""
    spared: tuple[TrackedFace, ...] = ()
    """All faces that a restorer may have changed: those above and, of videos, those found in the input."""
    whole: bool = True
    """Whether what takes long is measured, too: the whole picture; NIQE, MS-SSIM and LPIPS of faces."""
