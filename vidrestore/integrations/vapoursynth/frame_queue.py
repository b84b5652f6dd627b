"""Frames on their way from the host's thread to the pipeline's threads."""

from __future__ import annotations

import queue

from vidrestore.types import Frame

POLL_SECONDS = 0.01
"""Time between two checks of a wait."""
_CAPACITY = 8


class FrameQueue:
    """A few frames that wait for the pipeline. One thread puts them in, one takes them out."""

    def __init__(self) -> None:
        self._frames: queue.Queue[Frame | None] = queue.Queue(_CAPACITY)
        self.is_abandoned = False

    @property
    def is_full(self) -> bool:
        return self._frames.full()

    def put(self, frame: Frame | None) -> None:
        """Adds a frame, or None for the end of the clip; only if the queue is not full."""
        self._frames.put_nowait(frame)

    def take(self) -> Frame | None:
        """The next frame, once there is one; None at the end of the clip, or if the queue is abandoned."""
        while not self.is_abandoned:
            try:
                return self._frames.get(timeout=POLL_SECONDS)
            except queue.Empty:
                continue
        return None

    def clear(self) -> None:
        """Drops all frames; nothing may be taking any."""
        while not self._frames.empty():
            self._frames.get_nowait()

    def abandon(self) -> None:
        """Ends all waiting, for good."""
        self.is_abandoned = True
