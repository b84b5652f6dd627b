"""A full search every few frames and after a loss; faces are followed in between."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.motion import face, frame, picture, rolled
from vidrestore.detection import DetectorState, detect
from vidrestore.detection.detector import Search
from vidrestore.detection.frame_detection import THOROUGH_REST
from vidrestore.detection.overlap import suppress_duplicates
from vidrestore.faces.boxes import overlap
from vidrestore.types import Detection, Frame

BLANK = np.zeros((240, 320), np.uint8)


class ScriptedDetector:
    """Finds what the script says is in a frame; follows what it says can be followed."""

    def __init__(self, found: dict[int, list[Detection]], followed: dict[int, list[Detection]]) -> None:
        self.found, self.followed = found, followed
        self.searched: list[int] = []
        self.searches: dict[int, Search] = {}
        self.existing: dict[int, int] = {}

    def detect(
        self, frame: Frame, *, search: Search = "thorough", existing: Sequence[Detection] = ()
    ) -> tuple[Detection, ...]:
        self.searched.append(frame.index)
        self.existing[frame.index] = len(existing)
        self.searches[frame.index] = search
        return tuple(self.found.get(frame.index, []))

    def frames_of(self, search: Search) -> list[int]:
        return [index for index, kind in self.searches.items() if kind == search]

    def follow(self, frame: Frame, previous: Sequence[Detection]) -> tuple[Detection, ...]:
        return tuple(self.followed.get(frame.index, list(previous)))


def frames(count: int) -> list[Frame]:
    return [frame(i, BLANK) for i in range(count)]


def test_a_full_search_happens_every_few_frames() -> None:
    detector = ScriptedDetector({0: [face((100, 100))]}, {})
    out = list(detect(frames(11), detector, interval=5))
    assert detector.searched == [0, 5, 10]
    assert all(len(item.faces) == 1 for item in out)


def test_most_searches_are_quick_where_nothing_happens() -> None:
    detector = ScriptedDetector({0: [face((100, 100))]}, {})
    list(detect(frames(101), detector, interval=5))
    assert detector.searched == list(range(0, 101, 5))
    assert detector.frames_of("thorough") == [0, 100]
    assert detector.frames_of("full") == [25, 50, 75]
    assert [index for index, count in detector.existing.items() if count > 0] == detector.frames_of("quick")


def test_a_lost_face_is_searched_for_at_once() -> None:
    detector = ScriptedDetector({0: [face((100, 100))]}, {3: []})
    list(detect(frames(10), detector, interval=5))
    assert detector.searches == {0: "thorough", 3: "full", 5: "quick"}


@pytest.mark.parametrize("angle", [90, 180, -90])
def test_a_lost_face_that_lay_on_a_side_or_upside_down_is_searched_for_at_any_angle(angle: float) -> None:
    detector = ScriptedDetector({0: [rolled(face((100, 100)), angle)]}, {33: []})
    list(detect(frames(36), detector, interval=5))
    assert detector.frames_of("thorough") == [0, 33]


def test_a_new_picture_is_searched_at_once_and_at_any_angle_if_that_was_not_just_done() -> None:
    detector = ScriptedDetector({}, {})
    looks = [frame(i, picture(0 if i < 7 else 1 if i < 40 else 2)) for i in range(50)]
    list(detect(looks, detector, interval=5))
    assert detector.searches[7] == "full"
    assert detector.frames_of("thorough") == [0, THOROUGH_REST, 40]


def test_pictures_that_change_all_the_time_are_not_all_searched_at_any_angle() -> None:
    detector = ScriptedDetector({}, {})
    list(detect([frame(i, picture(i)) for i in range(60)], detector, interval=5))
    assert detector.searched == list(range(60))
    assert len(detector.frames_of("thorough")) == 60 // THOROUGH_REST


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 59), st.lists(st.integers(0, 59), max_size=4), st.lists(st.integers(1, 59), max_size=4))
def test_a_search_schedule_continues_from_any_frame_as_if_it_had_not_stopped(
    stop: int, changes: list[int], losses: list[int]
) -> None:
    looks = [frame(i, picture(sum(change <= i for change in changes))) for i in range(60)]
    whole = ScriptedDetector({0: [face((100, 100))]}, {i: [] for i in losses})
    states: list[DetectorState] = []
    list(detect(looks, whole, on_state=states.append))
    rest = ScriptedDetector({}, {i: [] for i in losses})
    list(detect(looks[stop - 1 :], rest, begin=states[stop - 1]))
    assert rest.searches == {i: kind for i, kind in whole.searches.items() if i >= stop}


def test_a_flash_of_exposure_is_no_new_picture() -> None:
    detector = ScriptedDetector({}, {})
    looks = [frame(i, picture(0) // 2 + (60 if i == 7 else 0)) for i in range(10)]
    list(detect(looks, detector, interval=5))
    assert detector.searched == [0, 5]


def test_a_face_found_twice_comes_out_once() -> None:
    detector = ScriptedDetector({i: [face((101, 100), score=0.8)] for i in range(6)}, {})
    out = list(detect(frames(6), detector, interval=1))
    assert [len(item.faces) for item in out] == [1] * 6


def test_a_face_that_the_search_misses_stays_if_following_verifies_it() -> None:
    detector = ScriptedDetector({0: [face((100, 100))]}, {})
    out = list(detect(frames(6), detector, interval=5))
    assert len(out[5].faces) == 1


def test_tiny_faces_are_left_alone() -> None:
    detector = ScriptedDetector({0: [face((100, 100))]}, {})
    assert not next(iter(detect(frames(1), detector, min_face=73))).faces
    assert next(iter(detect(frames(1), detector, min_face=72))).faces


def test_overlap_of_known_boxes() -> None:
    a = np.array([0, 0, 10, 10], np.float32)
    assert overlap(a, a) == 1.0
    assert overlap(a, a + 10) == 0.0
    assert abs(overlap(a, np.array([5, 0, 15, 10], np.float32)) - 1 / 3) < 1e-6


@given(st.lists(st.tuples(st.floats(0, 300), st.floats(0, 200), st.floats(0.1, 1)), max_size=12))
def test_no_two_kept_faces_overlap_and_the_best_is_kept(places: list[tuple[float, float, float]]) -> None:
    found = [face((x, y), score=score) for x, y, score in places]
    kept = suppress_duplicates(found, 0.3)
    assert all(overlap(a.box, b.box) <= 0.3 for i, a in enumerate(kept) for b in kept[i + 1 :])
    assert not found or kept[0].score == max(d.score for d in found)
