"""Turns detections into tracked faces. Does not import torch."""

from vidrestore.tracking.frame_tracking import SceneStart, track
from vidrestore.tracking.selection import EXCEPT, LIKE, PERSON, named_tracks, names_people, select_faces

__all__ = [
    "EXCEPT",
    "LIKE",
    "PERSON",
    "SceneStart",
    "named_tracks",
    "names_people",
    "select_faces",
    "track",
]
