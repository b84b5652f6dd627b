"""Whether sound and timing came through unchanged."""

from __future__ import annotations

from pathlib import Path

from vidrestore.evaluation.pairing import Check
from vidrestore.video import Input, sound_digests

TOLERANCE_SECONDS = 0.0011
"""Matroska states times in whole milliseconds."""


def check_sound(result: Path | Input, other: Path | Input, called: str) -> Check:
    """Whether the result has the same audio packets as another file, at the same times.

    Args:
        result: The restored file.
        other: The file to compare with.
        called: What the sentence calls it: "input" or "truth".

    Raises:
        InputError: A file cannot be read.
    """
    name = f"sound as in the {called}"
    ours, theirs = sound_digests(result), sound_digests(other)
    if len(ours) != len(theirs):
        sentence = f"the result has {len(ours)} streams of sound, the {called} {len(theirs)}"
        return Check(name=name, passed=False, sentence=sentence)
    if not ours:
        return Check(name=name, passed=True, sentence="neither has sound")
    for number, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        if a.sha256 != b.sha256:
            return Check(name=name, passed=False, sentence=f"stream {number} of sound is not the {called}'s")
        for at, wanted in ((a.first, b.first), (a.last, b.last)):
            if at is not None and wanted is not None and abs(at - wanted) > TOLERANCE_SECONDS:
                sentence = f"stream {number} of sound is {float(at - wanted):+.3f} s away from the {called}'s"
                return Check(name=name, passed=False, sentence=sentence)
    return Check(name=name, passed=True, sentence="every packet is the same, at the same time")


class FrameTimes:
    """Compares the times of two videos' frames."""

    def __init__(self, called: str, *, absolute: bool) -> None:
        """Compare with the video that sentences call `called`.

        Args:
            called: "input" or "truth".
            absolute: Whether the first frames must have the same time too. Otherwise times are compared
                after the first frame's is subtracted.
        """
        self._called, self._absolute = called, absolute
        self._begin: tuple[float, float] | None = None
        self._largest, self._at, self._frames = 0.0, 0, 0

    def add(self, result: float, other: float) -> None:
        """Add the times [s] of the next frame of both videos."""
        if self._begin is None:
            self._begin = (0.0, 0.0) if self._absolute else (result, other)
        apart = (result - self._begin[0]) - (other - self._begin[1])
        if abs(apart) > abs(self._largest):
            self._largest, self._at = apart, self._frames
        self._frames += 1

    def check(self) -> Check:
        """Whether all times so far agree."""
        name = f"timestamps as in the {self._called}"
        if abs(self._largest) > TOLERANCE_SECONDS:
            sentence = f"frame {self._at} is shown {self._largest:+.3f} s away from the {self._called}'s"
            return Check(name=name, passed=False, sentence=sentence)
        return Check(name=name, passed=True, sentence=f"all {self._frames} frames at the same times")
