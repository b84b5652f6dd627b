"""Detection -> TrackedFace. No torch."""

from vidrestore.tracking.choice import choose
from vidrestore.tracking.frame_tracking import SceneStart, track

__all__ = ["SceneStart", "choose", "track"]
