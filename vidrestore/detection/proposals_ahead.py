"""Computes YuNet's proposals of later frames in threads, while earlier frames are followed.

A search takes several times as long as following a face from frame to frame, and does not depend on earlier
frames. So beside a GPU, which leaves cores idle, detection is not limited by one thread.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from vidrestore.detection.detector import Search
from vidrestore.detection.yunet import YuNet
from vidrestore.types import Detection, Frame

FRAMES = 10
"""Frames of a block: two searches at the usual interval."""
_BLOCKS = 3
"""Blocks that are kept: the one before, the one that is detected, and the next one."""

Started = dict[tuple[int, Search], tuple[Frame, "Future[list[Detection]]"]]
"""Searches of a block, by the identity of the frame, which is kept so that it stays unique."""


class ProposalsAhead:
    """Searches of planned frames, each in one of several threads with a YuNet of its own."""

    def __init__(self, make_yunet: Callable[[], YuNet], threads: int, *, frames: int = FRAMES) -> None:
        """Prepare the threads; they start with the first search.

        Args:
            make_yunet: Loads the network; called once in each thread.
            threads: Number of threads.
            frames: Frames of a block.
        """
        self.frames = frames
        self._networks = threading.local()
        self._make_yunet = make_yunet
        self._pool = ThreadPoolExecutor(threads, "proposals")
        self._blocks: deque[Started] = deque()
        self._lock = threading.Lock()

    def start(self, frames: Sequence[tuple[Frame, Search | None]]) -> None:
        """Starts the searches of a block; those of old blocks that have not started are cancelled.

        Args:
            frames: Frames with the searches that they will need; None: no search.
        """
        self._blocks.append(
            {
                (id(frame), search): (frame, self._pool.submit(self._search, frame, search))
                for frame, search in frames
                if search is not None
            }
        )
        with self._lock:
            old = [self._blocks.popleft() for _ in range(len(self._blocks) - _BLOCKS)]
        for block in old:
            for _, search in list(block.values()):
                search.cancel()

    def take(self, frame: Frame, search: Search) -> list[Detection] | None:
        """The proposals of a started search; None: this search of the frame was not planned.

        Args:
            frame: The same object as for `start`.
            search: The kind of search.
        """
        for block in tuple(self._blocks):  # several threads may share a detector
            started = block.pop((id(frame), search), None)
            if started is not None:
                return started[1].result()
        return None

    def _search(self, frame: Frame, search: Search) -> list[Detection]:
        yunet: YuNet | None = getattr(self._networks, "yunet", None)
        if yunet is None:
            yunet = self._networks.yunet = self._make_yunet()
        return yunet.search(frame, search)
