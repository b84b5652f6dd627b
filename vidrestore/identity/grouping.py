"""Groups the tracks of each person by their descriptors; numpy only."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

import numpy as np

from vidrestore.identity.distance import CHOSEN_BELOW
from vidrestore.types import FloatArray


def group_tracks(
    descriptors: Mapping[int, FloatArray],
    seen_together: AbstractSet[tuple[int, int]] = frozenset(),
    *,
    below: float = CHOSEN_BELOW,
) -> list[tuple[int, ...]]:
    """The tracks of each person, both in order of the first track.

    Groups are joined as long as the mean distance between their members is less than `below`, nearest first
    (average linkage).

    Args:
        descriptors: (128,) for each track.
        seen_together: Pairs of tracks in the same frame, the lower number first: they are two people.
        below: The distance.
    """
    numbers = sorted(descriptors)
    groups = {position: [number] for position, number in enumerate(numbers)}
    if len(numbers) < 2:
        return [(number,) for number in numbers]
    vectors = np.stack([descriptors[number] for number in numbers]).astype(np.float64)
    squares = (vectors**2).sum(1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares - 2 * vectors @ vectors.T, 0))
    np.fill_diagonal(distances, np.inf)
    position_of = {number: position for position, number in enumerate(numbers)}
    for one, other in seen_together:
        if one in position_of and other in position_of:
            a, b = position_of[one], position_of[other]
            distances[a, b] = distances[b, a] = np.inf
    while True:
        first, second = sorted(int(i) for i in np.unravel_index(np.argmin(distances), distances.shape))
        if not distances[first, second] < below:
            break
        sizes = len(groups[first]), len(groups[second])
        # An infinite distance remains: a track in the same frame as a member is another person.
        joined = (sizes[0] * distances[first] + sizes[1] * distances[second]) / sum(sizes)
        distances[first], distances[:, first] = joined, joined
        distances[second], distances[:, second] = np.inf, np.inf
        distances[first, first] = np.inf
        groups[first] += groups.pop(second)
    return sorted(tuple(sorted(members)) for members in groups.values())
