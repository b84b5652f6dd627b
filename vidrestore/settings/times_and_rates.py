"""Parses times and frame rates as users write them."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

_RATE = re.compile(r"\d{1,9}(\.\d{1,9})?|\d{1,9}/\d{1,9}")


def parse_time(text: str) -> float:
    """Seconds from a text such as 12.5, 1:30 or 01:02:03.5, in ffmpeg's syntax.

    Raises:
        ValueError: The text is not a time. The message is for the user.
    """
    *clock, seconds = text.strip().split(":")
    whole = [part for part in clock if part.isdigit() and part.isascii()]
    try:
        if len(clock) > 2 or whole != clock or (clock and not 0 <= float(seconds) < 60):
            raise ValueError
        minutes = 0
        for part in clock:
            minutes = minutes * 60 + int(part)
        return minutes * 60 + float(seconds)
    except (ValueError, OverflowError):
        raise ValueError("a time is written as seconds (12.5) or HH:MM:SS.mmm (00:01:30.250)") from None


def parse_frame_rate(value: Any) -> Fraction:
    """Frames per second from 25, 24000/1001 and the like; 23.976, 29.97 and 59.94 become exact fractions.

    Raises:
        ValueError: It is not a frame rate. The message is for the user.
    """
    text = str(value)
    try:
        if not _RATE.fullmatch(text):
            raise ValueError
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise ValueError("a rate is written as 25, 29.97 or 24000/1001") from None
    broadcast = Fraction(round(rate * Fraction(1001, 1000)) * 1000, 1001)
    if rate.denominator > 1 and abs(rate - broadcast) < Fraction(1, 1000):
        rate = broadcast
    if not 0 < rate <= 1000:
        raise ValueError("a rate must be above 0 and at most 1000 frames per second")
    return rate
