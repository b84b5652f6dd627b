"""Threads are scheduled as before, whatever a library has done to them."""

from __future__ import annotations

import os
import sys
import threading
from fractions import Fraction
from pathlib import Path

import av
import pytest

import vidrestore
from tests.support.clips import Clip, make_clip
from vidrestore.runtime.scheduling import keep_scheduling

FIFO = getattr(os, "SCHED_FIFO", 1)
linux_root = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root on Linux may make real-time threads"
)


def policies() -> set[int]:
    return {os.sched_getscheduler(int(task.name)) for task in Path("/proc/self/task").iterdir()}


@linux_root
def test_threads_that_become_real_time_threads_are_reset() -> None:
    done = threading.Event()
    with keep_scheduling():
        os.sched_setscheduler(0, FIFO, os.sched_param(99))
        thread = threading.Thread(target=done.wait)  # inherits it
        thread.start()
        assert FIFO in policies()
    found = policies()
    done.set()
    thread.join()
    assert found == {os.SCHED_OTHER}


@linux_root
def test_a_priority_that_the_user_has_set_is_kept() -> None:
    os.sched_setscheduler(0, FIFO, os.sched_param(7))
    try:
        with keep_scheduling():
            os.sched_setscheduler(0, FIFO, os.sched_param(99))
        assert os.sched_getscheduler(0) == FIFO
        assert os.sched_getparam(0).sched_priority == 7
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


@linux_root
def test_an_av1_encoder_leaves_no_real_time_threads() -> None:
    encoder = av.CodecContext.create("libsvtav1", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width = encoder.height = 128
    encoder.pix_fmt, encoder.time_base = "yuv420p", Fraction(1, 25)
    with keep_scheduling():
        encoder.open()
        assert FIFO in policies()
    assert policies() == {os.SCHED_OTHER}


@linux_root
def test_a_restored_av1_video_leaves_no_real_time_threads(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "in.mkv", Clip(frames=2))
    vidrestore.restore(source, tmp_path / "out.mkv", codec="av1", preset="12")
    assert policies() == {os.SCHED_OTHER}
