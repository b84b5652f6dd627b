"""AlignedFace -> RestoredFace: networks on a device, in batches, blended over time."""

from vidrestore.restoration.batch_size import BatchSizes, choose_batch_sizes
from vidrestore.restoration.deflicker import deflicker
from vidrestore.restoration.face_estimate import FaceEstimate, FusedFace
from vidrestore.restoration.generator import DaefrGenerator, FaceCodes, FaceFeatures
from vidrestore.restoration.oom_retry import OomRetryRestorer
from vidrestore.restoration.padded_batches import PaddedBatchRestorer
from vidrestore.restoration.restorer import (
    FaceRestorer,
    NetworkRestorer,
    make_restorer,
)
from vidrestore.restoration.stage import restore
from vidrestore.restoration.temporal_blend import TemporalBlend
from vidrestore.restoration.worker_pools import cpu_workers_for, network_workers_for

__all__ = [
    "BatchSizes",
    "DaefrGenerator",
    "FaceCodes",
    "FaceEstimate",
    "FaceFeatures",
    "FaceRestorer",
    "FusedFace",
    "NetworkRestorer",
    "OomRetryRestorer",
    "PaddedBatchRestorer",
    "TemporalBlend",
    "choose_batch_sizes",
    "cpu_workers_for",
    "deflicker",
    "make_restorer",
    "network_workers_for",
    "restore",
]
