"""AlignedFace -> RestoredFace: the network on a device, in batches, blended over time."""

from vidrestore.restoration.blending import TemporalBlend
from vidrestore.restoration.restorer import DaefrRestorer, FaceFeatures, FaceRestorer, make_restorer
from vidrestore.restoration.stage import restore

__all__ = ["DaefrRestorer", "FaceFeatures", "FaceRestorer", "TemporalBlend", "make_restorer", "restore"]
