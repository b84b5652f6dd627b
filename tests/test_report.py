"""Time is booked on the stage that works, whatever thread it works in; what was drawn is counted by track."""

from __future__ import annotations

import json
import time
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


def slow(items: Iterable[int], seconds: float) -> Iterator[int]:
    for item in items:
        time.sleep(seconds)
        yield item


def test_nested_rooms_each_get_their_own_time() -> None:
    clock = StageTimer()
    inner = clock.timed("inner", slow(range(4), 0.02))
    assert list(clock.timed("outer", slow(inner, 0.05))) == [0, 1, 2, 3]
    assert clock.seconds["inner"] == pytest.approx(0.08, abs=0.06)
    assert clock.seconds["outer"] == pytest.approx(0.20, abs=0.06)


def test_rooms_in_two_threads_are_booked_side_by_side_and_waiting_is_no_work() -> None:
    clock = StageTimer()
    began = time.monotonic()
    with Prefetch(clock.timed("ahead", slow(range(10), 0.05)), items=2) as made:
        assert list(clock.timed("behind", slow(clock.untimed(made), 0.02))) == list(range(10))
    elapsed = time.monotonic() - began
    assert clock.seconds["ahead"] == pytest.approx(0.5, abs=0.2)
    assert 0.2 <= clock.seconds["behind"] < clock.seconds["ahead"]
    assert elapsed < clock.seconds["ahead"] + clock.seconds["behind"] + 0.05
    assert set(clock.seconds) == {"ahead", "behind"}


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
def test_segments_in_any_order_come_to_what_one_go_does(
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
