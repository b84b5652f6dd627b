"""The evidence network: estimates the clean face from the footage, and the size of its own error."""

from vidrestore.evidence.network import Evidence, EvidenceConfig, EvidenceNetwork, scales_of_bands
from vidrestore.evidence.pyramid import merge_bands, split_bands
from vidrestore.evidence.two_sizes import TwoSizeEvidence

__all__ = [
    "Evidence",
    "EvidenceConfig",
    "EvidenceNetwork",
    "TwoSizeEvidence",
    "merge_bands",
    "scales_of_bands",
    "split_bands",
]
