"""Run by test_distributed in two processes: one step on a share of a batch, and the weights after it."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.optim import Adam

from vidrestore.training.distributed import optimizer_step


def weights_after_one_step(index: int, count: int) -> dict[str, torch.Tensor]:
    """Of two convolutions with channels-last weights, trained on part `index` of `count` of one batch."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.Tanh(), nn.Conv2d(8, 4, 3, padding=1))
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    faces, truth = torch.randn(8, 3, 8, 8), torch.randn(8, 4, 8, 8)
    # Adam's first step is the rate times the gradient's sign; the large epsilon keeps it from jumping at 0.
    optimizer = Adam(network.parameters(), lr=0.01, eps=0.1, fused=True)
    (network(faces.chunk(count)[index]) - truth.chunk(count)[index]).square().mean().backward()
    optimizer_step(optimizer, network.parameters())
    return network.state_dict()


if __name__ == "__main__":
    _, rank, meeting, target = sys.argv
    dist.init_process_group("gloo", init_method=Path(meeting).as_uri(), rank=int(rank), world_size=2)
    torch.save(weights_after_one_step(int(rank), 2), target)
    dist.destroy_process_group()
