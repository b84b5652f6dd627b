"""Upright frames for detection, some of them ahead, so that a detector can prepare them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

from vidrestore.detection.detector import FaceDetector, PreparingDetector, Search
from vidrestore.faces.orientation import upright_frame
from vidrestore.types import Frame

MAX_BLOCK_BYTES = 32 * 2**20
"""Frames that are prepared together have at most so many bytes; a single frame may have more."""


def with_preparation(
    frames: Iterator[Frame], detector: FaceDetector, plan: Callable[[int], list[Search | None]]
) -> Iterator[tuple[Frame, Frame]]:
    """Pairs of a frame and its upright form. A detector that prepares frames has been given the next block.

    Args:
        frames: A video's frames in order.
        detector: Receives the frames ahead, if it prepares any.
        plan: Returns the kinds of search that the next frames will probably need; its argument is their
            number. Each frame is planned once, in order.
    """
    if not isinstance(detector, PreparingDetector) or detector.frames_ahead < 2:
        for coded in frames:
            yield coded, upright_frame(coded)
        return
    waiting: list[tuple[Frame, Frame]] = []
    for block in chain(_blocks(frames, detector.frames_ahead), [[]]):
        pairs = [(coded, upright_frame(coded)) for coded in block]
        if pairs:
            upright = [frame for _, frame in pairs]
            detector.prepare(list(zip(upright, plan(len(upright)), strict=True)))
        yield from waiting  # while the detector prepares the next ones
        waiting = pairs


def _blocks(frames: Iterator[Frame], size: int) -> Iterator[list[Frame]]:
    block: list[Frame] = []
    for frame in frames:
        block.append(frame)
        if len(block) == size or sum(f.nbytes for f in block) >= MAX_BLOCK_BYTES:
            yield block
            block = []
    if block:
        yield block
