"""Detection -> TrackedFace. No torch."""

from vidrestore.tracking.frame_tracking import SceneStart, track
from vidrestore.tracking.selection import select_faces

__all__ = ["SceneStart", "select_faces", "track"]
