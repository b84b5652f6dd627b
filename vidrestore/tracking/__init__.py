"""Detection -> TrackedFace. No torch."""

from vidrestore.tracking.choice import choose
from vidrestore.tracking.stage import track

__all__ = ["choose", "track"]
