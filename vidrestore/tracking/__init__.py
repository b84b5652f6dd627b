"""Turns detections into tracked faces. Does not import torch."""

from vidrestore.tracking.frame_tracking import SceneStart, track
from vidrestore.tracking.selection import (
    EXCEPT,
    LIKE,
    PERSON,
    LargestFace,
    chosen_by_track,
    named_tracks,
    needs_inspection,
    select_faces,
)
from vidrestore.tracking.track_conditions import conditions_of, is_conditions

__all__ = [
    "EXCEPT",
    "LIKE",
    "PERSON",
    "LargestFace",
    "SceneStart",
    "chosen_by_track",
    "conditions_of",
    "is_conditions",
    "named_tracks",
    "needs_inspection",
    "select_faces",
    "track",
]
