"""Times of a stream's pictures: they say how far a face may move between two pictures."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import vidrestore
from vidrestore.colour.arrays import frame_from_array
from vidrestore.in_memory.times import advancing

RATE = Fraction(25)


def frame_at(pts: int, time_base: Fraction = Fraction(1, 100)) -> vidrestore.Frame:
    return replace(frame_from_array(np.zeros((4, 4), np.uint8)), pts=pts, time_base=time_base)


def seconds(*pts: int) -> list[float]:
    return [round(frame.seconds, 6) for frame in advancing(map(frame_at, pts), RATE)]


def test_times_that_advance_are_kept() -> None:
    frames = [frame_at(pts) for pts in (-3, 7, 8, 400)]
    assert list(advancing(iter(frames), RATE)) == frames


def test_pictures_that_all_have_the_same_time_follow_at_the_frame_rate() -> None:
    assert seconds(0, 0, 0, 0) == [0, 0.04, 0.08, 0.12]
    assert seconds(500, 500, 500) == [5, 5.04, 5.08]


def test_a_single_repeated_time_leaves_the_other_distances_as_they_are() -> None:
    assert seconds(0, 2, 2, 4, 6) == [0, 0.02, 0.06, 0.08, 0.1]


def test_a_picture_that_is_earlier_than_the_one_before_is_refused() -> None:
    with pytest.raises(vidrestore.UsageError, match=r"picture 2 is at 0\.02 s, before picture 1 at 0\.08 s"):
        seconds(0, 8, 2)


def as_frame(picture: NDArray[np.uint8]) -> Any:
    return replace(frame_from_array(picture), pts=3, time_base=Fraction(1, 90_000))


def as_pyav(picture: NDArray[np.uint8]) -> Any:
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="gbrp")
    frame.pts, frame.time_base = 3, Fraction(1, 90_000)
    return frame


@pytest.mark.parametrize("make", [as_frame, as_pyav])
def test_a_moving_face_is_found_at_the_same_places_where_all_pictures_have_the_same_time(
    restorer: vidrestore.Restorer, pictures: list[NDArray[np.uint8]], make: Any
) -> None:
    moving = [np.roll(pictures[0], 12 * number, axis=1) for number in range(4)]
    expected = list(restorer.frames(moving, frame_rate=25))
    results = list(restorer.frames(map(make, moving), frame_rate=25))
    for one, other in zip(expected, results, strict=True):
        assert [face.box.tolist() for face in one.faces] == [face.box.tolist() for face in other.faces]
        times = [other.picture, *(other.before_and_after if make is as_frame else ())]
        assert {(item.pts, item.time_base) for item in times} == {(3, Fraction(1, 90_000))}
