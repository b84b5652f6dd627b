"""AlignedFace -> RestoredFace: the network on a device, in batches, blended over time."""

from vidrestore.restoration.batches import Batches, batches_for
from vidrestore.restoration.blending import TemporalBlend
from vidrestore.restoration.deflicker import deflicker
from vidrestore.restoration.lanes import hands_for, lanes_for
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
    "Batches",
    "DaefrRestorer",
    "FaceCodes",
    "FaceFeatures",
    "FaceRestorer",
    "TemporalBlend",
    "WholeBatches",
    "WithinMemory",
    "batches_for",
    "deflicker",
    "hands_for",
    "lanes_for",
    "make_restorer",
    "restore",
]
