"""The progress and the report of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Stage = Literal["opening", "loading", "analysing", "restoring", "measuring", "finishing"]
"""The stages of a run: examining the input; loading the networks; finding faces before the first segment of a
long video is restored; restoring; measuring (`evaluate`); completing the output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The progress of a run, for progress bars and callbacks."""

    frames: int
    """Number of frames written so far; in the stage `analysing`: analysed so far."""
    total: int | None
    """Expected number of frames; None: unknown."""
    faces: int
    """Number of faces restored so far."""
    seconds: float
    """Time since the start [s]."""
    resumed_frames: int = 0
    """Number of these frames that an earlier, interrupted run had written."""
    stage: Stage = "restoring"


ProgressCallback = Callable[[Progress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnShare:
    """The share of a track's detail that the generator drew; the rest comes from the footage."""

    track: int
    """The track's number, as in `vidrestore inspect`."""
    frames: int
    """Number of frames in which it was restored."""
    mean: float
    """Mean share over these frames, 0..1."""
    maximum: float
    """Maximum share of a frame, 0..1."""


DAMAGED_SHARE = 0.01
"""Share of lost and concealed frames above which a run counts as damaged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The result of a run."""

    output: Path
    frames: int
    frames_with_faces: int
    faces: int
    tracks: int
    lost_frames: int
    """Frames that could not be decoded: the previous frame is repeated, or the output ends earlier."""
    seconds: float
    seconds_by_stage: dict[str, float]
    """Working time of each stage; stages overlap, so the sum may exceed `seconds`."""
    warnings: tuple[str, ...] = ()
    concealed_frames: int = 0
    """Frames in which the decoder concealed errors."""
    drawn: tuple[DrawnShare, ...] = ()
    """How much of each track was drawn, in the order of their numbers."""
    people: tuple[str, ...] = ()
    """A sentence for each track that a photo selected, with the certainty."""
    resumed_frames: int = 0
    """The frames that an earlier run had written; `frames` includes them, and `seconds` does not."""

    @property
    def rate(self) -> float:
        """Frames per second of this run, without those of an earlier one; 0 for a run without duration."""
        return (self.frames - self.resumed_frames) / self.seconds if self.seconds > 0 else 0.0

    @property
    def damage(self) -> float:
        """Share of the input's frames that were lost or concealed, 0..1."""
        damaged = self.lost_frames + self.concealed_frames
        return damaged / max(self.frames, damaged, 1)

    @property
    def is_damaged(self) -> bool:
        """Whether so many frames were lost or concealed that batch and exit codes report it."""
        return self.damage > DAMAGED_SHARE
