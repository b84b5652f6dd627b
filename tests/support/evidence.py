"""A small evidence network."""

from __future__ import annotations

import torch

from vidrestore.evidence import EvidenceConfig, EvidenceNetwork

TINY = EvidenceConfig(widths=(8, 12, 16, 16), blocks=(1, 1, 1, 1), head_width=4)
TINY_REFINEMENT = EvidenceConfig(widths=(8, 12), blocks=(1, 1), head_width=4, refines=True)


def tiny_network(seed: int = 0, spread: float = 0.05, config: EvidenceConfig = TINY) -> EvidenceNetwork:
    """A network whose every layer does something."""
    torch.manual_seed(seed)
    network = EvidenceNetwork(config).eval().requires_grad_(False)
    for parameter in network.parameters():
        parameter.add_(spread * torch.randn_like(parameter))
    return network
