"""Everything anew every few frames and after a loss; faces followed in between."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.tracking.motion import face, frame, picture
from vidrestore.detection import detect
from vidrestore.detection.overlap import suppress_duplicates
from vidrestore.faces.boxes import overlap
from vidrestore.types import Detection, Frame

BLANK = np.zeros((240, 320), np.uint8)


class ScriptedDetector:
    """Finds what the script says is in a frame; follows what it says can be followed."""

    def __init__(self, found: dict[int, list[Detection]], followed: dict[int, list[Detection]]) -> None:
        self.found, self.followed = found, followed
        self.searched: list[int] = []
        self.thorough: list[int] = []
        self.existing: dict[int, int] = {}

    def detect(
        self, frame: Frame, *, quick: bool = False, existing: Sequence[Detection] = ()
    ) -> tuple[Detection, ...]:
        self.searched.append(frame.index)
        self.existing[frame.index] = len(existing)
        if not quick:
            self.thorough.append(frame.index)
        return tuple(self.found.get(frame.index, []))

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
    assert detector.thorough == [0, 25, 50, 75, 100]
    assert [index for index, count in detector.existing.items() if count == 0] == detector.thorough


def test_a_lost_face_is_searched_for_at_once_and_thoroughly() -> None:
    detector = ScriptedDetector({0: [face((100, 100))]}, {3: []})
    list(detect(frames(10), detector, interval=5))
    assert detector.searched == [0, 3, 5]
    assert detector.thorough == [0, 3]


def test_a_new_picture_is_searched_at_once_and_thoroughly() -> None:
    detector = ScriptedDetector({}, {})
    looks = [frame(i, picture(0 if i < 7 else 1)) for i in range(12)]
    list(detect(looks, detector, interval=5))
    assert detector.searched == [0, 5, 7, 10]
    assert detector.thorough == [0, 7]


def test_a_flash_of_exposure_is_no_new_picture() -> None:
    detector = ScriptedDetector({}, {})
    looks = [frame(i, picture(0) // 2 + (60 if i == 7 else 0)) for i in range(10)]
    list(detect(looks, detector, interval=5))
    assert detector.searched == [0, 5]


def test_a_face_found_twice_comes_out_once() -> None:
    detector = ScriptedDetector({i: [face((101, 100), score=0.8)] for i in range(6)}, {})
    out = list(detect(frames(6), detector, interval=1))
    assert [len(item.faces) for item in out] == [1] * 6


def test_what_the_search_misses_but_following_verifies_stays() -> None:
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
