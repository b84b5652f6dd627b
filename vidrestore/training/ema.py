"""The exponential moving average of a network's weights."""

from __future__ import annotations

import torch
from torch import nn


@torch.no_grad()
def update_ema(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Updates the average in place: `average = decay * average + (1 - decay) * network`.

    Args:
        average: A copy of the network, which has the average weights.
        network: The trained network.
        decay: 0..1. Integers, such as counters, are copied.
    """
    for mean, value in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.dtype.is_floating_point:
            mean.lerp_(value, 1 - decay)
        else:
            mean.copy_(value)
