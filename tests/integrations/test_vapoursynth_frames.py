"""Restored frames by number: in order, backwards, far ahead; without VapourSynth."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from importlib import import_module

import numpy as np
import pytest

from vidrestore.integrations.vapoursynth import restored_frames
from vidrestore.integrations.vapoursynth.analysis import Analysis
from vidrestore.integrations.vapoursynth.frame_queue import FrameQueue
from vidrestore.integrations.vapoursynth.restored_frames import RUN_IN, RestoredFrames
from vidrestore.runtime.pipeline_threads import Prefetch, windows
from vidrestore.settings import Settings
from vidrestore.types import ColourTags, Detection, Frame, FrameFaces, PixelFormat, TrackedFace

GREY = PixelFormat(name="gray", family="gray", bit_depth=8)
CONTEXT, COUNT = 3, 90


def make_frame(number: int) -> Frame:
    texture = np.random.default_rng(0).integers(0, 256, (36, 64), np.uint8)
    return Frame(
        index=number,
        pts=number,
        duration=1,
        time_base=Fraction(1, 25),
        planes=(np.roll(texture, number // 4, axis=1),),
        format=GREY,
        colour=ColourTags(),
    )


class WalkingFace:
    """A detector of one face that goes to the right."""

    def __init__(self) -> None:
        self.searched: list[int] = []

    def detect(self, frame: Frame, **_: object) -> tuple[Detection, ...]:
        return self._face(frame)

    def follow(self, frame: Frame, previous: Sequence[Detection]) -> tuple[Detection, ...]:
        self.searched.append(frame.index)
        return self._face(frame)

    def _face(self, frame: Frame) -> tuple[Detection, ...]:
        left = frame.index / 8
        points = np.array([[8, 8], [16, 8], [12, 14], [9, 18], [15, 18]]) + np.array([left, 0])
        box = np.array([left, 0, left + 24, 28], np.float32)
        return (Detection(box=box, landmarks=points.astype(np.float32), score=0.99),)


HOSTS: list[Host] = []
"""Those whose threads may still be running."""


class Host:
    """A clip whose frames are read by the thread that asks for a result, as VapourSynth wants it."""

    def __init__(self, count: int, *, may_jump: bool = True) -> None:
        self.reads: list[int] = []
        self.fails_at: int | None = None
        self.passes = 0
        self.detector = WalkingFace()
        self._threads = {threading.current_thread()}
        HOSTS.append(self)
        settings, detector = Settings(min_face=8), self.detector
        self.frames = RestoredFrames(
            count,
            read=self._read,
            analysis=lambda first, queue: Analysis(first, queue, detector, settings),
            restore=self._restore,
            context=CONTEXT,
            kept=4,
            may_jump=may_jump,
        )

    def get(self, number: int) -> tuple[int, int]:
        """The number that the frame says it has, and what its neighbours' faces made of it."""
        frame = self.frames.get(number)
        return frame.index, int(frame.planes[0].astype(np.int64).sum())

    def _read(self, number: int) -> Frame:
        assert threading.current_thread() in self._threads
        if number == self.fails_at:
            raise OSError("the disk is gone")
        self.reads.append(number)
        return make_frame(number)

    def _restore(self, items: Iterator[FrameFaces[TrackedFace]]) -> Generator[Frame]:
        """Each frame as a picture of the faces of the frames around it, as the real pipeline's threads do."""
        self.passes += 1
        with Prefetch(items, items=2) as ahead:
            for window, at in windows(ahead, CONTEXT):
                boxes = [face.box for item in window for face in item.faces]
                opacity = [face.opacity for item in window for face in item.faces]
                value = int(float(np.sum(boxes)) * 64) + int(sum(opacity) * 1000)
                yield replace(window[at].frame, planes=(np.array([[value & 0xFFFF]], np.uint16),))


@pytest.fixture(autouse=True)
def hosts_end_with_each_test() -> Iterator[None]:
    """A host's threads refer to it, so it is never collected."""
    yield
    while HOSTS:
        HOSTS.pop().frames._state.end()


@pytest.fixture(scope="module")
def linear() -> list[tuple[int, int]]:
    host = Host(COUNT)
    return [host.get(number) for number in range(COUNT)]


def test_frames_in_order_are_read_once_each(linear: list[tuple[int, int]]) -> None:
    assert [number for number, _ in linear] == list(range(COUNT))
    assert len({value for _, value in linear}) > 80
    host = Host(COUNT)
    assert [host.get(number) for number in range(COUNT)] == linear
    assert host.reads == list(range(COUNT))
    assert host.passes == 1


def test_a_step_back_returns_the_same_frames_without_a_new_search(linear: list[tuple[int, int]]) -> None:
    host = Host(COUNT)
    assert [host.get(number) for number in range(70)] == linear[:70]
    for number in (20, 21, 60, 0, 3, 69):
        assert host.get(number) == linear[number]
    assert [host.get(number) for number in range(70, COUNT)] == linear[70:]
    assert host.detector.searched == sorted(set(host.detector.searched))


def test_requests_that_are_a_little_out_of_order_need_one_pass(linear: list[tuple[int, int]]) -> None:
    host = Host(COUNT)
    order = [number ^ 1 for number in range(40)]
    assert [host.get(number) for number in order] == [linear[number] for number in order]
    assert host.passes == 1


def test_a_jump_ahead_is_analysed_from_the_first_frame_on(linear: list[tuple[int, int]]) -> None:
    host = Host(COUNT)
    assert host.get(0) == linear[0]
    assert host.get(85) == linear[85]
    assert host.get(50) == linear[50]


def test_a_far_jump_starts_some_frames_before_and_is_exact_again_in_order(
    linear: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restored_frames, "AHEAD", 10)
    host = Host(COUNT)
    assert host.get(0) == linear[0]
    host.reads.clear()
    assert host.get(80)[0] == 80
    assert min(host.reads) == 80 - RUN_IN
    assert host.get(75 - RUN_IN)[0] == 75 - RUN_IN
    assert [host.get(number) for number in range(COUNT)] == linear


def test_without_jumps_every_frame_is_analysed(
    linear: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restored_frames, "AHEAD", 10)
    host = Host(COUNT, may_jump=False)
    assert host.get(80) == linear[80]


def test_a_read_error_is_raised_and_the_next_request_is_answered(linear: list[tuple[int, int]]) -> None:
    host = Host(COUNT)
    assert host.get(0) == linear[0]
    host.fails_at = 60
    with pytest.raises(OSError, match="the disk is gone"):
        host.get(60)
    host.fails_at = None
    assert host.get(60) == linear[60]


def test_a_frame_behind_the_end_is_refused() -> None:
    host = Host(5)
    with pytest.raises(Exception, match="frame 5 was not restored"):
        host.get(5)
    assert host.get(4)[0] == 4


def test_threads_end_with_the_filter() -> None:
    before = set(threading.enumerate())
    frames = RestoredFrames(
        50,
        read=make_frame,
        analysis=lambda first, queue: Analysis(first, queue, WalkingFace(), Settings(min_face=8)),
        restore=lambda items: (item.frame for item in items),
        context=CONTEXT,
        kept=4,
    )
    assert frames.get(0).index == 0
    (started,) = {thread for thread in threading.enumerate() if thread.name == "vidrestore"} - before
    del frames
    gc.collect()
    started.join(60)
    assert not started.is_alive()


def test_an_abandoned_queue_ends_a_wait() -> None:
    frames = FrameQueue()
    taken: list[Frame | None] = []
    thread = threading.Thread(target=lambda: taken.append(frames.take()), daemon=True)
    thread.start()
    frames.abandon()
    thread.join(60)
    assert taken == [None]


def test_without_vapoursynth_the_import_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vapoursynth", None)
    monkeypatch.delitem(sys.modules, "vidrestore.vapoursynth", raising=False)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'vidrestore\[vapoursynth\]'"):
        import_module("vidrestore.vapoursynth")
