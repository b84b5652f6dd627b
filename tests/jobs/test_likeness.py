"""A photo chooses the person and nobody else; who may be that person is named, not chosen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vidrestore.identity import CHOSEN_BELOW, CHOSEN_WITHIN, LIKELY_BELOW
from vidrestore.jobs.known_tracks import KnownTrack, KnownTracks
from vidrestore.jobs.likeness import likeness_sentences, tracks_like

PHOTO = np.zeros(128, np.float32)


def known(
    *tracks: tuple[int, float | None], together: frozenset[frozenset[int]] = frozenset()
) -> KnownTracks:
    """Tracks by their person and their distance from the photo, each in a direction of its own."""
    return KnownTracks(
        path=Path("film.mkv"),
        seen_together=together,
        tracks=tuple(
            KnownTrack(
                id=number,
                person=person,
                side=90.5,
                centre=(0.25, 0.5),
                descriptor=None
                if distance is None
                else PHOTO + distance * np.eye(128, dtype=np.float32)[number],
            )
            for number, (person, distance) in enumerate(tracks)
        ),
    )


def chosen(found: KnownTracks) -> tuple[list[int], list[int]]:
    likeness = tracks_like(found, PHOTO)
    return [track.id for track, _ in likeness.chosen], [track.id for track, _ in likeness.likely]


@pytest.mark.parametrize(
    ("tracks", "expected"),
    [
        ([(0, 0.2), (1, 0.2 + CHOSEN_WITHIN - 0.01), (2, 0.6)], ([0, 1], [])),
        ([(0, 0.2), (1, 0.2 + CHOSEN_WITHIN + 0.01), (2, 0.6)], ([0], [1])),  # another person, not as near
        ([(0, 0.2), (0, CHOSEN_BELOW - 0.01)], ([0, 1], [])),  # less alike, but of the same person
        ([(0, 0.2), (0, CHOSEN_BELOW + 0.01)], ([0], [1])),
        ([(0, CHOSEN_BELOW + 0.001), (1, LIKELY_BELOW - 0.001), (2, LIKELY_BELOW + 0.001)], ([], [0, 1])),
        ([(0, None), (1, 0.9)], ([], [])),
        ([], ([], [])),
    ],
)
def test_only_tracks_that_are_surely_the_person_are_chosen(
    tracks: list[tuple[int, float | None]], expected: tuple[list[int], list[int]]
) -> None:
    assert chosen(known(*tracks)) == expected


def test_only_the_more_similar_of_two_people_in_one_frame_is_chosen() -> None:
    together = frozenset({frozenset((0, 1))})
    assert chosen(known((0, 0.21), (1, 0.2), (0, 0.22), together=together)) == ([1, 2], [])


def test_the_messages_name_the_chosen_tracks_and_those_that_may_be_the_person() -> None:
    found = tracks_like(known((0, 0.2), (1, 0.4), (0, 0.25)), PHOTO)
    first, second, third = likeness_sentences(found, "film.mkv", "a.jpg")
    assert first == "track 0 is the person in a.jpg: sure (distance 0.20; the limit is 0.38)"
    assert second.startswith("track 2 is the person")
    assert "track 1 may be the person in a.jpg (distance 0.40), and was not chosen" in third
    assert third.endswith("--faces 0,1,2")
    (nobody,) = likeness_sentences(tracks_like(known((0, 0.7)), PHOTO), "film.mkv", "a.jpg")
    assert nobody.endswith("no track is nearer than 0.38; nearest is track 0 at distance 0.70")


def test_the_tracks_of_an_inspection_survive_writing_and_reading_as_json() -> None:
    before = known((0, 0.2), (1, None), together=frozenset({frozenset((0, 1))}))
    after = KnownTracks.from_json(before.to_json(), before.path)
    assert after.seen_together == before.seen_together
    assert [(t.id, t.person, t.side, t.centre) for t in after.tracks] == [
        (t.id, t.person, t.side, t.centre) for t in before.tracks
    ]
    assert np.array_equal(after.tracks[0].descriptor, before.tracks[0].descriptor)
    assert after.tracks[1].descriptor is None
