"""Which tracks are the person in a photo, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

from vidrestore.identity import (
    CHOSEN_BELOW,
    CHOSEN_WITHIN,
    LIKELY_BELOW,
    how_sure,
    identity_distance,
)
from vidrestore.jobs.known_tracks import KnownTrack, KnownTracks
from vidrestore.types import FloatArray

Near = tuple[KnownTrack, float]
"""A track and its identity distance from the photo."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """The tracks near a photo."""

    chosen: tuple[Near, ...]
    """The tracks of that person, the nearest first."""
    likely: tuple[Near, ...]
    """Tracks that may be that person, and are not chosen."""
    nearest: Near | None
    """The nearest track, however far it is; None: no track could be described."""


def tracks_like(known: KnownTracks, photo: FloatArray) -> Likeness:
    """The tracks near a photo.

    A track is chosen if its distance is below `CHOSEN_BELOW` and within `CHOSEN_WITHIN` of the nearest one,
    or if it belongs to the same person as the nearest one. Of two tracks in the same frame, only the nearer
    one can be that person.

    Args:
        known: The tracks.
        photo: (128,) the descriptor of the person in the photo.
    """
    near = sorted(
        ((track, identity_distance(track.descriptor, photo)) for track in known.tracks
         if track.descriptor is not None),
        key=lambda pair: (pair[1], pair[0].id),
    )  # fmt: skip
    chosen, likely = list[Near](), list[Near]()
    for track, distance in near:
        if distance >= LIKELY_BELOW:
            break
        if any(frozenset((track.id, other.id)) in known.seen_together for other, _ in chosen):
            continue
        nearest, least = near[0]
        is_close = distance < least + CHOSEN_WITHIN or track.person == nearest.person
        (chosen if distance < CHOSEN_BELOW and is_close else likely).append((track, distance))
    return Likeness(chosen=tuple(chosen), likely=tuple(likely), nearest=near[0] if near else None)


def likeness_sentences(found: Likeness, video: str, photo: str) -> tuple[str, ...]:
    """How sure each chosen track is, and which others may be that person.

    Args:
        found: The tracks near the photo.
        video: The name of the video.
        photo: The name of the photo.
    """
    sentences = [
        f"track {track.id} is the person in {photo}: {how_sure(distance)} (distance {distance:.2f}; the "
        f"limit is {CHOSEN_BELOW:.2f})"
        for track, distance in sorted(found.chosen, key=lambda pair: pair[0].id)
    ]
    if not found.chosen:
        near = "" if found.nearest is None else (
            f"; nearest is track {found.nearest[0].id} at distance {found.nearest[1]:.2f}"
        )  # fmt: skip
        sentences.append(
            f"nobody in {video} is surely the person in {photo}: no track is nearer than "
            f"{CHOSEN_BELOW:.2f}{near}"
        )
    for track, distance in sorted(found.likely, key=lambda pair: pair[0].id):
        names = ",".join(str(number) for number in sorted({track.id, *(t.id for t, _ in found.chosen)}))
        sentences.append(
            f"track {track.id} may be the person in {photo} (distance {distance:.2f}), and was not chosen; "
            f"to restore it as well: --faces {names}"
        )
    return tuple(sentences)
