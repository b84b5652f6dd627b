"""The queue of frames from the host's thread to the pipeline's threads."""

from __future__ import annotations

import queue

from vidrestore.types import Frame

POLL_SECONDS = 0.01
"""Time between two checks of a wait."""
_CAPACITY = 8


class FrameQueue:
    """A bounded queue with one thread that puts frames in, and one that takes them out."""

    def __init__(self) -> None:
        self._frames: queue.Queue[Frame | None] = queue.Queue(_CAPACITY)
        self.is_abandoned = False

    @property
    def is_full(self) -> bool:
        return self._frames.full()

    def put(self, frame: Frame | None) -> None:
        """Add a frame, or None for the end of the clip. The queue must not be full."""
        self._frames.put_nowait(frame)

    def take(self) -> Frame | None:
        """Wait for the next frame; None at the end of the clip, or if the queue is abandoned."""
        while not self.is_abandoned:
            try:
                return self._frames.get(timeout=POLL_SECONDS)
            except queue.Empty:
                continue
        return None

    def clear(self) -> None:
        """Remove all frames. No thread may be in `take`."""
        while not self._frames.empty():
            self._frames.get_nowait()

    def abandon(self) -> None:
        """End all waiting permanently."""
        self.is_abandoned = True
