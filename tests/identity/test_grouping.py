"""Tracks of one person are grouped; people seen side by side never are."""

from __future__ import annotations

import numpy as np

from vidrestore.identity import CHOSEN_BELOW, LIKELY_BELOW, TrackDescriber, group_tracks, how_sure
from vidrestore.types import FloatArray, TrackedFace


def near(person: int, away: float = 0.0) -> FloatArray:
    """A descriptor at distance `away` from the person's, in a direction of its own."""
    vector = np.zeros(128, np.float32)
    vector[person] = 1.0
    vector[100 + person] = away
    return vector


def test_tracks_of_one_person_are_grouped_over_gaps() -> None:
    found = group_tracks({4: near(0), 0: near(0, 0.3), 2: near(1), 7: near(1, 0.2), 9: near(2)})
    assert found == [(0, 4), (2, 7), (9,)]


def test_tracks_of_different_people_are_not_grouped() -> None:
    assert group_tracks({0: near(0), 1: near(0, CHOSEN_BELOW + 0.01)}) == [(0,), (1,)]
    assert group_tracks({}) == []


def test_two_faces_seen_in_one_frame_are_never_grouped() -> None:
    tracks = {0: near(0), 1: near(0, 0.1), 2: near(0, 0.05)}
    assert group_tracks(tracks) == [(0, 1, 2)]
    found = group_tracks(tracks, {(0, 1)})
    assert len(found) == 2
    assert not any({0, 1} <= set(group) for group in found)


def test_the_report_says_how_sure_a_choice_is() -> None:
    near_the_limits = (CHOSEN_BELOW - 0.001, CHOSEN_BELOW, LIKELY_BELOW - 0.001, LIKELY_BELOW)
    assert [how_sure(d) for d in near_the_limits] == ["sure", "likely", "likely", "unlikely"]


class _ByBrightness:
    def describe(self, faces: list[FloatArray]) -> FloatArray:
        return np.stack([np.full(128, face.mean(), np.float32) for face in faces])


def test_a_track_is_the_mean_of_its_sampled_frames_that_are_seen_well() -> None:
    describer = TrackDescriber(_ByBrightness())
    values = {0: 0.2, 1: 0.9, 2: 0.9, 3: 0.4, 4: 0.9}
    for number, value in values.items():
        describer.add(_face(0, 1.0), np.full((4, 4, 3), value, np.float32))
        describer.add(_face(1, 0.1), np.full((4, 4, 3), 0.5, np.float32))
        assert number in values
    descriptors = describer.descriptors()
    assert list(descriptors) == [0], "a face that is turned away is not described"
    assert np.allclose(descriptors[0], 0.3)


def _face(track_id: int, opacity: float) -> TrackedFace:
    return TrackedFace(
        track_id=track_id,
        box=np.array([0, 0, 40, 40], np.float32),
        landmarks=np.zeros((5, 2), np.float32),
        score=1.0,
        observed=True,
        opacity=opacity,
    )
