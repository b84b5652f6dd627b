"""Presentation times of pictures: their own if they increase, otherwise interpolated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import av


class PictureTimes:
    """Assigns increasing times to pictures: the file's own, unless they are wrong."""

    def __init__(self, step: int) -> None:
        """`step`: default number of ticks from one picture to the next."""
        self._step = step
        self._last: int | None = None

    def read(self, own: int | None, following: int | None, duration: int | None) -> int:
        """The time of the next picture.

        Args:
            own: Its own timestamp.
            following: The timestamp of the picture after it.
            duration: Its own duration, if it has one.
        """
        time = self._time(own, following)
        self._step = duration or self._step
        self._last = time
        return time

    def is_plausible(self, own: int | None, following: int | None) -> bool:
        """Whether `read` keeps the picture's own time."""
        if own is None or (self._last is not None and own <= self._last):
            return False
        if following is None or following >= own:
            return True
        # One of the two is wrong: this one, unless the next is also earlier than the last.
        return self._last is not None and following <= self._last

    def _time(self, own: int | None, following: int | None) -> int:
        if own is not None and self.is_plausible(own, following):
            return own
        last = self._last
        if last is None:
            return 0 if following is None else following - self._step
        if following is not None and following > last + 1:
            return min(last + self._step, following - 1)
        return last + (self._step if own is None else 1)


def with_following(pictures: Iterable[av.VideoFrame]) -> Iterator[tuple[av.VideoFrame, av.VideoFrame | None]]:
    """Pairs of each picture and the next one, None at the end."""
    held: av.VideoFrame | None = None
    for picture in pictures:
        if held is not None:
            yield held, picture
        held = picture
    if held is not None:
        yield held, None
