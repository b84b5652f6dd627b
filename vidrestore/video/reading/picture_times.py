"""When each picture is shown: at its own time if that is later than the one before, otherwise in between."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import av


class PictureTimes:
    """Gives each picture a time later than the one before, the file's own wherever that is one."""

    def __init__(self, step: int) -> None:
        """`step`: ticks from one picture to the next, where nothing else says it."""
        self._step = step
        self._last: int | None = None

    def read(self, own: int | None, following: int | None, duration: int | None) -> int:
        """The time of a picture.

        Args:
            own: The time it states.
            following: The time that the next picture states.
            duration: How long it is shown, if it says so.
        """
        time = self._time(own, following)
        self._step = duration or self._step
        self._last = time
        return time

    def is_believed(self, own: int | None, following: int | None) -> bool:
        """Whether `read` will give the picture its own time."""
        if own is None or (self._last is not None and own <= self._last):
            return False
        if following is None or following >= own:
            return True
        # One of the two is wrong: this one, unless the next lies before the last as well.
        return self._last is not None and following <= self._last

    def _time(self, own: int | None, following: int | None) -> int:
        if own is not None and self.is_believed(own, following):
            return own
        last = self._last
        if last is None:
            return 0 if following is None else following - self._step
        if following is not None and following > last + 1:
            return min(last + self._step, following - 1)
        return last + (self._step if own is None else 1)


def with_following(pictures: Iterable[av.VideoFrame]) -> Iterator[tuple[av.VideoFrame, av.VideoFrame | None]]:
    """Each picture with the next one, or None at the end."""
    held: av.VideoFrame | None = None
    for picture in pictures:
        if held is not None:
            yield held, picture
        held = picture
    if held is not None:
        yield held, None
