"""One pass of the restoration over a clip, from a given frame on, in its own thread.

The thread that requests a result also reads the frames; the pipeline's threads never do. A thread of the host
may request more frames from the host, but any other thread might wait forever for a free thread of the host.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator
from contextlib import closing

from vidrestore.errors import ProcessingError
from vidrestore.integrations.vapoursynth.frame_queue import POLL_SECONDS, FrameQueue
from vidrestore.types import Frame, FrameFaces, TrackedFace

RESULTS_AHEAD = 4
"""Results that may wait beyond the newest request."""
SKIP = 32
"""A frame at most this far ahead of the results is reached by restoring all frames up to it."""
_WAIT_SECONDS = 0.2
Restore = Callable[[Iterator[FrameFaces[TrackedFace]]], Generator[Frame]]


class RestorationRun:
    """The results of one pass, by frame number. The thread that calls `get` also reads the frames."""

    def __init__(
        self,
        items: Iterator[FrameFaces[TrackedFace]],
        reads: Iterator[int],
        *,
        begin: int,
        frames: FrameQueue,
        read: Callable[[int], Frame],
        restore: Restore,
        kept: int,
    ) -> None:
        """Start the pass.

        Args:
            items: The frames with their faces, as they come from `frames`.
            reads: The numbers of the frames to put into `frames`.
            begin: The number of the first result.
            frames: The queue for the frames.
            read: Returns a frame of the clip.
            restore: The pipeline: one frame for each item, in order.
            kept: Number of results before the newest one that stay available.
        """
        self._items, self._reads, self._frames = items, reads, frames
        self._read, self._restore, self._kept = read, restore, kept
        self._results: OrderedDict[int, Frame] = OrderedDict()
        self._next_result = self._wanted = begin
        self._changed = threading.Condition()
        self._error: BaseException | None = None
        self._is_stopped = self._is_done = False
        self._thread = threading.Thread(target=self._work, name="vidrestore", daemon=True)
        self._thread.start()

    def can_reach(self, number: int) -> bool:
        """Whether the result exists, or is at most `SKIP` frames ahead."""
        with self._changed:
            return number in self._results or 0 <= number - self._next_result <= SKIP

    def get(self, number: int) -> Frame:
        """The result with that number. Raises the error of the reader or of the pipeline."""
        while True:
            with self._changed:
                self._wanted = max(self._wanted, number)
                self._changed.notify_all()
                if number in self._results:
                    return self._results[number]
                if self._error is not None:
                    raise self._error
                if self._is_done:
                    raise ProcessingError(f"frame {number} was not restored: the clip ended before it")
            self._feed()

    def stop(self) -> None:
        """End the pass between two frames, so that another pass can continue the analysis."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        while self._thread.is_alive():
            self._feed()  # the analysis may be waiting for a frame
        self._frames.clear()

    def join(self, seconds: float) -> None:
        """Wait at most that long for the end of the pass, whose queue was abandoned."""
        if threading.current_thread() is not self._thread:
            self._thread.join(seconds)

    def _feed(self) -> None:
        """Put a frame into the queue if there is space, else wait a moment."""
        if self._frames.is_full:
            with self._changed:
                self._changed.wait(POLL_SECONDS)
            return
        number = next(self._reads, None)
        if number is not None:
            self._frames.put(self._read(number))
            return
        self._frames.put(None)
        with self._changed:
            self._changed.wait(POLL_SECONDS)

    def _work(self) -> None:
        try:
            with closing(self._restore(self._unstopped_items())) as restored:
                for frame in restored:
                    if not self._keep(frame):
                        return
        except BaseException as error:
            self._error = error
        finally:
            with self._changed:
                self._is_done = True
                self._changed.notify_all()

    def _unstopped_items(self) -> Iterator[FrameFaces[TrackedFace]]:
        for item in self._items:
            yield item
            if self._is_stopped:
                return

    def _keep(self, frame: Frame) -> bool:
        """Keep a result, and wait until another one is requested; False if the pass ends."""
        with self._changed:
            self._results[self._next_result] = frame
            self._next_result += 1
            while len(self._results) > self._kept + RESULTS_AHEAD:
                self._results.popitem(last=False)
            self._changed.notify_all()
            while not self._is_over() and self._next_result > self._wanted + RESULTS_AHEAD:
                self._changed.wait(_WAIT_SECONDS)
            return not self._is_over()

    def _is_over(self) -> bool:
        return self._is_stopped or self._frames.is_abandoned
