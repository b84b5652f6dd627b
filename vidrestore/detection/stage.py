"""Frame -> Detection: everything anew every few frames and after a loss, faces followed in between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vidrestore.detection.detector import FaceDetector
from vidrestore.detection.overlap import without_duplicates
from vidrestore.types import Detection, Frame, FrameFaces


def detect(
    frames: Iterable[Frame], detector: FaceDetector, *, interval: int = 5, min_face: int = 24
) -> Iterator[FrameFaces[Detection]]:
    """One out per frame in, same order, at once.

    `interval`: frames between two full detections; a face that could not be followed brings one on at once.
    `min_face`: faces whose box is lower or narrower than this [frame px] are left out.
    """
    known: tuple[Detection, ...] = ()
    for count, frame in enumerate(frames):
        followed = detector.follow(frame, known) if known else ()
        if count % interval == 0 or len(followed) < len(known):
            # What full detection misses but following still verifies stays.
            found = without_duplicates([*followed, *detector.detect(frame)])
        else:
            found = without_duplicates(followed)
        known = tuple(d for d in found if _smaller_side(d) >= min_face)
        yield FrameFaces(frame=frame, faces=known)


def _smaller_side(detection: Detection) -> float:
    x0, y0, x1, y1 = detection.box
    return float(min(x1 - x0, y1 - y0))
