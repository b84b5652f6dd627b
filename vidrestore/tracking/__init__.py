"""Detection -> TrackedFace. No torch."""

from vidrestore.tracking.choice import choose
from vidrestore.tracking.stage import SceneStart, track

__all__ = ["SceneStart", "choose", "track"]
