"""The evidence network: what the footage shows of a face, and how sure that is."""

from vidrestore.evidence.network import Evidence, EvidenceConfig, EvidenceNetwork, scales_of_bands
from vidrestore.evidence.pyramid import merge_bands, split_bands

__all__ = [
    "Evidence",
    "EvidenceConfig",
    "EvidenceNetwork",
    "merge_bands",
    "scales_of_bands",
    "split_bands",
]
