"""Times of a stream's pictures: tracking needs to know how much later each one is than the one before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from vidrestore.errors import UsageError
from vidrestore.types import Frame


def advancing(frames: Iterator[Frame], rate: Fraction) -> Iterator[Frame]:
    """The frames with times that advance.

    A frame at the same time as the one before says nothing about its time: it is later by one frame at
    `rate`, and so are all frames after it.

    Args:
        frames: The frames, in the order in which they are shown.
        rate: Frames per second.

    Raises:
        UsageError: A frame is earlier than the one before it.
    """
    before: Fraction | None = None
    delay = Fraction(0)
    for number, frame in enumerate(frames):
        time = frame.pts * frame.time_base
        if before is not None and time < before:
            raise UsageError(
                f"picture {number} is at {float(time):g} s, before picture {number - 1} at "
                f"{float(before):g} s; pass the pictures of one video, in the order in which they are shown, "
                "or give all the same time"
            )
        if time == before:
            delay += 1 / rate
        before = time
        if delay:
            time += delay
            frame = replace(frame, pts=time.numerator, time_base=Fraction(1, time.denominator))
        yield frame
