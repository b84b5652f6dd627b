"""Fingerprints of frames."""

from __future__ import annotations

from vidrestore.types import Frame
from vidrestore.video import FrameFingerprint, checksum


def fingerprint_of(frame: Frame) -> FrameFingerprint:
    return FrameFingerprint(
        index=frame.index, pts=frame.pts, duration=frame.duration, checksum=checksum(frame)
    )
