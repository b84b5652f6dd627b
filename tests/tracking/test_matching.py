"""The assignment of detections to tracks equals the best of all possible assignments."""

from __future__ import annotations

import subprocess
import sys
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.motion import face
from vidrestore.tracking import matching
from vidrestore.tracking.matching import MAX_COST, TrackPrediction, assign
from vidrestore.types import Detection

LOOK = np.zeros(256, np.float32)
LOOK[0] = 1.0


def expected(x: float) -> TrackPrediction:
    there = face((x, 120))
    return TrackPrediction(box=there.box, landmarks=there.landmarks, appearance=LOOK)


def cost(tracks: list[TrackPrediction], found: list[Detection]) -> np.ndarray:
    return np.array([[matching._cost(track, seen, LOOK) for seen in found] for track in tracks])


def least_total(costs: np.ndarray) -> float:
    """Over all ways to pair, where a pair that is not allowed costs as much as the worst that is."""
    rows, columns = sorted(costs.shape)
    wide = np.minimum(costs if costs.shape[0] == rows else costs.T, MAX_COST)
    return min(sum(wide[r, c] for r, c in enumerate(way)) for way in permutations(range(columns), rows))


places = st.lists(st.floats(0, 400), min_size=1, max_size=4)


@given(tracks=places, found=places)
def test_the_pairs_cost_the_least_that_any_pairs_would(tracks: list[float], found: list[float]) -> None:
    known, seen = [expected(x) for x in tracks], [face((x, 120)) for x in found]
    costs = cost(known, seen)
    pairs = assign(known, seen, [LOOK] * len(seen))
    assert len({r for r, _ in pairs}) == len({c for _, c in pairs}) == len(pairs)
    assert all(costs[r, c] <= MAX_COST for r, c in pairs)
    unpaired = min(costs.shape) - len(pairs)
    total = sum(costs[r, c] for r, c in pairs) + unpaired * MAX_COST
    assert total == pytest.approx(least_total(costs))


def test_a_pair_is_not_given_up_for_two_that_are_not_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    costs = {(0, 0): 0.9, (0, 1): 1.2, (1, 0): 1.1, (1, 1): 50.0}
    tracks, found = [expected(0), expected(200)], [face((0, 120)), face((200, 120))]

    def known_cost(track: TrackPrediction, seen: Detection, _: np.ndarray) -> float:
        row = next(i for i, other in enumerate(tracks) if other is track)
        column = next(i for i, other in enumerate(found) if other is seen)
        return costs[row, column]

    monkeypatch.setattr(matching, "_cost", known_cost)
    assert assign(tracks, found, [LOOK, LOOK]) == [(0, 0)]


def test_nothing_is_paired_without_tracks_or_detections() -> None:
    assert assign([], [face((0, 120))], [LOOK]) == []
    assert assign([expected(0)], [], []) == []


def test_people_who_keep_their_distance_are_followed_without_importing_scipy() -> None:
    """It would take a third of a second of each start."""
    code = (
        "import sys; from tests.tracking.test_matching import LOOK, assign, expected, face\n"
        "assert assign([expected(0), expected(300)], [face((302, 120)), face((1, 120))], [LOOK] * 2)"
        " == [(0, 1), (1, 0)]\n"
        "assert not {'scipy', 'filterpy'} & set(sys.modules), {'scipy', 'filterpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
