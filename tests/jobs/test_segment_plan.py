"""A video is divided at near scene changes, into segments that are neither too short nor too long."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from vidrestore.jobs.frame_records import FrameRecord
from vidrestore.jobs.segment_plan import LEAST_FRAMES, SegmentPlanner, Span
from vidrestore.video import FrameFingerprint

RATE = Fraction(25)


def record(index: int, changes: Sequence[int]) -> FrameRecord:
    scene = sum(change <= index for change in changes)
    fingerprint = FrameFingerprint(index=index, pts=index, duration=1, checksum=0)
    return FrameRecord(fingerprint=fingerprint, scenes=(scene,), faces=((),))


def plan(
    frames: int, changes: Sequence[int], *, seconds: float = 4, begin: Sequence[Span] = ()
) -> list[Span]:
    planner = SegmentPlanner(seconds, RATE, context=17, begin=begin)
    spans = list(begin)
    for index in range(planner.first, frames):
        span = planner.add(record(index, changes))
        if span is not None:
            assert index >= span.stop + 16, "what lies behind it must be known"
            spans.append(span)
    return spans + planner.end(frames)


def stops(spans: Sequence[Span]) -> list[int]:
    return [span.stop for span in spans]


def test_segments_end_at_the_scene_change_nearest_to_the_requested_length() -> None:
    assert stops(plan(300, [80, 110, 190])) == [110, 190, 300]


def test_segments_have_the_requested_length_without_a_scene_change_nearby() -> None:
    assert stops(plan(300, [20, 70, 130])) == [100, 200, 300]
    assert stops(plan(125, [])) == [125]
    assert stops(plan(126, [])) == [100, 126]


@given(
    st.integers(1, 700),
    st.lists(st.integers(1, 700), max_size=12, unique=True).map(sorted),
    st.integers(0, 4),
)
def test_every_frame_is_in_one_segment_and_a_plan_is_resumed(
    frames: int, changes: list[int], done: int
) -> None:
    spans = plan(frames, changes)
    assert [s.first for s in spans] == [0, *stops(spans)[:-1]]
    assert spans[-1].stop == frames
    assert [s.number for s in spans] == list(range(len(spans)))
    assert all(75 <= s.frames <= 125 for s in spans[:-1])
    assert spans[-1].frames >= min(25, frames)
    known = spans[: min(done, len(spans) - 1)]
    assert plan(frames, changes, begin=known) == spans


def test_a_segment_has_enough_frames_for_an_encoder_that_reorders() -> None:
    assert min(s.frames for s in plan(200, [], seconds=0.01)) >= LEAST_FRAMES // 4
