"""Removes detections of the same face."""

from __future__ import annotations

from collections.abc import Iterable

from vidrestore.faces.boxes import overlap
from vidrestore.types import Detection


def suppress_duplicates(detections: Iterable[Detection], largest: float = 0.3) -> tuple[Detection, ...]:
    """Detections by decreasing score, without those that overlap a better one by more than `largest`."""
    unique: list[Detection] = []
    for detection in sorted(detections, key=lambda d: -d.score):
        if all(overlap(detection.box, other.box) <= largest for other in unique):
            unique.append(detection)
    return tuple(unique)
