"""Recognises people: 128 numbers per face, and the distance of two faces. Importing this loads no torch."""

from vidrestore.identity.distance import (
    CHOSEN_BELOW,
    CHOSEN_WITHIN,
    LIKELY_BELOW,
    SAME_PERSON,
    how_sure,
    identity_angle,
    identity_distance,
    identity_similarity,
)
from vidrestore.identity.grouping import group_tracks
from vidrestore.identity.people import Person, find_people
from vidrestore.identity.recogniser import FaceRecogniser, LazyRecogniser, make_recogniser
from vidrestore.identity.track_descriptions import TrackDescriber

__all__ = [
    "CHOSEN_BELOW",
    "CHOSEN_WITHIN",
    "LIKELY_BELOW",
    "SAME_PERSON",
    "FaceRecogniser",
    "LazyRecogniser",
    "Person",
    "TrackDescriber",
    "find_people",
    "group_tracks",
    "how_sure",
    "identity_angle",
    "identity_distance",
    "identity_similarity",
    "make_recogniser",
]
