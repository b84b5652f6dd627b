"""Conditions on the size and position of tracks, for the setting `faces`.

`larger:PX`, `smaller:PX` and `within:X0,Y0,X1,Y1`, joined by `+`. They apply to the means of a whole
track, so a face near a limit is not selected in some frames only.
"""

from __future__ import annotations

from collections.abc import Callable

from vidrestore.errors import UsageError

LARGER, SMALLER, WITHIN = "larger:", "smaller:", "within:"
Track = tuple[float, tuple[float, float]]
"""The mean side of the box [px], and the mean centre, x and y, as shares of the shown picture."""


def is_conditions(faces: str) -> bool:
    """Whether `faces`, without `not:`, consists of conditions."""
    return faces.startswith((LARGER, SMALLER, WITHIN))


def conditions_of(faces: str) -> Callable[[Track], bool]:
    """A function that tells whether all conditions are true for a track.

    Args:
        faces: For example `larger:80+within:0,0,0.5,1`.

    Raises:
        UsageError: A region is empty.
    """
    conditions = [_condition(part) for part in faces.split("+")]
    return lambda track: all(applies(track) for applies in conditions)


def _condition(part: str) -> Callable[[Track], bool]:
    name, _, value = part.partition(":")
    if f"{name}:" == LARGER:
        return lambda track: track[0] > int(value)
    if f"{name}:" == SMALLER:
        return lambda track: track[0] < int(value)
    x0, y0, x1, y1 = (float(number) for number in value.split(","))
    if x0 >= x1 or y0 >= y1:
        raise UsageError(
            f"the region {part} is empty: it is left,top,right,bottom, as shares of the picture from 0 to 1"
        )
    return lambda track: x0 <= track[1][0] <= x1 and y0 <= track[1][1] <= y1
