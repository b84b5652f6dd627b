"""Detection -> TrackedFace. No torch."""

from vidrestore.tracking.stage import track

__all__ = ["track"]
