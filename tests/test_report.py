"""Working time is counted by stage, in any thread; drawn shares are counted by track."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.frames import make_frame
from vidrestore.report import (
    MOSTLY_DRAWN,
    DrawnCounts,
    StageTimer,
    mostly_drawn,
    report_from_dict,
    report_to_dict,
)
from vidrestore.runtime.pipeline_threads import Prefetch
from vidrestore.types import DrawnShare, Report, RestoredFace


class Clock(threading.local):
    """A clock for each thread, which advances only when that thread works."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def work(self, items: Iterable[int], seconds: float) -> Iterator[int]:
        """The items, each after `seconds` of work."""
        for item in items:
            self.now += seconds
            yield item


def test_time_counts_for_the_innermost_stage() -> None:
    clock = Clock()
    timer = StageTimer(clock)
    inner = timer.timed("inner", clock.work(range(4), 2.0))
    assert list(timer.timed("outer", clock.work(inner, 5.0))) == [0, 1, 2, 3]
    assert timer.seconds == {"inner": 8.0, "outer": 20.0}


def test_waiting_for_another_thread_counts_for_no_stage() -> None:
    clock = Clock()
    timer = StageTimer(clock)
    waited = timer.untimed(clock.work(range(4), 2.0))
    assert list(timer.timed("stage", clock.work(waited, 5.0))) == [0, 1, 2, 3]
    assert timer.seconds == {"stage": 20.0}


def test_stages_in_two_threads_count_separately() -> None:
    clock = Clock()
    timer = StageTimer(clock)
    with Prefetch(timer.timed("ahead", clock.work(range(10), 5.0)), items=2) as ahead:
        assert list(timer.timed("behind", clock.work(timer.untimed(ahead), 2.0))) == list(range(10))
    assert timer.seconds == {"ahead": 50.0, "behind": 20.0}


def face(track: int, drawn: float) -> RestoredFace:
    picture = np.zeros((4, 4, 3), np.float32)
    return RestoredFace(
        track_id=track, to_crop=np.eye(2, 3), image=picture, estimate=picture, original=picture,
        landmarks=np.zeros((5, 2), np.float32), drawn=drawn,
    )  # fmt: skip


FRAME = make_frame([np.zeros((4, 4), np.uint8)], "gray")
FRAMES = st.lists(st.dictionaries(st.integers(0, 3), st.floats(0, 1)), max_size=12)


def counted(frames: list[dict[int, float]]) -> DrawnCounts:
    counts = DrawnCounts()
    for faces in frames:
        counts.add(FRAME, [face(track, share) for track, share in faces.items()])
    return counts


@settings(deadline=None)
@given(FRAMES)
def test_each_track_has_the_mean_and_the_maximum_of_what_was_drawn(frames: list[dict[int, float]]) -> None:
    shares = counted(frames).shares()
    assert [share.track for share in shares] == sorted({track for faces in frames for track in faces})
    for share in shares:
        values = [faces[share.track] for faces in frames if share.track in faces]
        assert share.frames == len(values)
        assert share.mean == pytest.approx(np.mean(values), abs=1e-4)
        assert share.maximum == pytest.approx(max(values), abs=1e-4)


@settings(deadline=None)
@given(FRAMES, st.integers(0, 12), st.randoms())
def test_drawn_shares_of_segments_in_any_order_equal_those_of_one_run(
    frames: list[dict[int, float]], cut: int, random: Random
) -> None:
    parts = [frames[:cut], frames[cut:]]
    random.shuffle(parts)
    merged = DrawnCounts()
    for part in parts:
        merged.merge(json.loads(json.dumps(counted(part).to_dict())))
    assert merged.shares() == counted(frames).shares()


def test_the_second_moment_of_an_interlaced_frame_is_not_counted_again() -> None:
    counts = DrawnCounts()
    counts.add(FRAME, [face(0, 0.2)])
    counts.add(replace(FRAME, second_field=True), [face(0, 0.9)])
    assert counts.shares() == (DrawnShare(track=0, frames=1, mean=0.2, maximum=0.2),)


def test_a_track_is_mostly_drawn_above_half() -> None:
    shares = tuple(
        DrawnShare(track=track, frames=9, mean=mean, maximum=1.0)
        for track, mean in enumerate((0.0, MOSTLY_DRAWN, 0.51, 1.0))
    )
    assert [share.track for share in mostly_drawn(shares)] == [2, 3]


def test_a_report_survives_its_json() -> None:
    report = Report(
        output=Path("out.mkv"), frames=3, frames_with_faces=2, faces=2, tracks=1, lost_frames=0, seconds=1.5,
        seconds_by_stage={"encoding": 0.5}, warnings=("one",), concealed_frames=1,
        drawn=(DrawnShare(track=0, frames=2, mean=0.25, maximum=0.5),),
    )  # fmt: skip
    values = json.loads(json.dumps(report_to_dict(report)))
    assert report_from_dict(values, Path("out.mkv")) == report
    assert values["drawn"] == [{"track": 0, "frames": 2, "mean": 0.25, "maximum": 0.5}]
    assert report_from_dict(values, Path("moved.mkv")).output == Path("moved.mkv")
