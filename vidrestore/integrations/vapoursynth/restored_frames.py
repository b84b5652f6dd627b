"""Restored frames in any order, from a pipeline that works in order and looks ahead.

Frames that are requested in order from the first on equal those of the command. Tracked faces are kept, so a
step back gives the same frames again. A jump far ahead would need the faces of all frames between; so a new
analysis starts some frames before the target.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass

from vidrestore.integrations.vapoursynth.analysis import Analysis
from vidrestore.integrations.vapoursynth.frame_queue import FrameQueue
from vidrestore.integrations.vapoursynth.restoration_run import RestorationRun, Restore
from vidrestore.types import Frame

RUN_IN = 24
"""Frames before a far jump's target at which the analysis starts, so that tracks are established there."""
AHEAD = 240
"""A jump at most this far ahead of the analysis is analysed frame by frame."""
_END_SECONDS = 10.0


class RestoredFrames:
    """The restored frames of a clip. One thread at a time is served."""

    def __init__(
        self,
        count: int,
        *,
        read: Callable[[int], Frame],
        analysis: Callable[[int, FrameQueue], Analysis],
        restore: Restore,
        context: int,
        kept: int,
        may_jump: bool = True,
    ) -> None:
        """No frame is read before the first call of `get`.

        Args:
            count: The number of frames of the clip.
            read: Returns a frame of the clip.
            analysis: Returns an analysis that starts at the given frame.
            restore: The pipeline, from tracked faces to restored frames.
            context: Frames to each side that a result depends on.
            kept: Number of results before the newest one that stay available.
            may_jump: Whether the analysis may start in the middle of the clip.
        """
        self._count, self._read, self._make_analysis, self._restore = count, read, analysis, restore
        self._context, self._kept, self._may_jump = context, kept, may_jump
        self._lock = threading.Lock()
        self._state = _State(FrameQueue())
        weakref.finalize(self, self._state.end)

    def get(self, number: int) -> Frame:
        """The restored frame `number`. Raises the error of the reader or of the pipeline."""
        with self._lock:
            try:
                run = self._state.run
                if run is None or not run.can_reach(number):
                    run = self._start(number)
                return run.get(number)
            except BaseException:
                self._state.end()
                raise

    def _start(self, number: int) -> RestorationRun:
        state = self._state
        if state.analysis is not None and self._reaches(state.analysis, number):
            assert state.run is not None
            state.run.stop()
            analysis = state.analysis
        else:
            state.end()
            state.frames = FrameQueue()
            first = 0 if number <= AHEAD or not self._may_jump else number - RUN_IN
            analysis = state.analysis = self._make_analysis(first, state.frames)
        begin = max(number - self._context, analysis.first)
        state.run = RestorationRun(
            analysis.items(begin),
            analysis.reads(begin, self._count),
            begin=begin,
            frames=state.frames,
            read=self._read,
            restore=self._restore,
            kept=self._kept,
        )
        return state.run

    def _reaches(self, analysis: Analysis, number: int) -> bool:
        first = analysis.first + RUN_IN if analysis.first else 0
        return first <= number and (number <= analysis.stop + AHEAD or not self._may_jump)


@dataclass(slots=True)
class _State:
    """The current run; a separate object, because the finaliser of RestoredFrames still needs it."""

    frames: FrameQueue
    analysis: Analysis | None = None
    run: RestorationRun | None = None

    def end(self) -> None:
        self.frames.abandon()
        if self.run is not None:
            self.run.join(_END_SECONDS)
        self.run = self.analysis = None
