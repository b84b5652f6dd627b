"""AlignedFace -> RestoredFace: the network on a device, in batches, blended over time."""

from vidrestore.restoration.blending import TemporalBlend
from vidrestore.restoration.deflicker import deflicker
from vidrestore.restoration.lanes import lanes_for
from vidrestore.restoration.restorer import (
    DaefrRestorer,
    FaceCodes,
    FaceFeatures,
    FaceRestorer,
    make_restorer,
)
from vidrestore.restoration.stage import restore
from vidrestore.restoration.whole_batches import WholeBatches
from vidrestore.restoration.within_memory import WithinMemory

__all__ = [
    "DaefrRestorer",
    "FaceCodes",
    "FaceFeatures",
    "FaceRestorer",
    "TemporalBlend",
    "WholeBatches",
    "WithinMemory",
    "deflicker",
    "lanes_for",
    "make_restorer",
    "restore",
]
