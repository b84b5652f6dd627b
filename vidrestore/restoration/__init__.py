"""AlignedFace -> RestoredFace. Importing this room imports torch."""

from vidrestore.restoration.blending import TemporalBlend
from vidrestore.restoration.restorer import DaefrRestorer, FaceRestorer, make_restorer
from vidrestore.restoration.stage import restore

__all__ = ["DaefrRestorer", "FaceRestorer", "TemporalBlend", "make_restorer", "restore"]
