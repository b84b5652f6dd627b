"""Tries on a device what the networks consist of, against the CPU: some drivers compute wrong numbers."""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING

from vidrestore.runtime.system_errors import is_out_of_memory

if TYPE_CHECKING:
    import torch
    from torch import Tensor

MOST_ERROR = 0.03
"""Largest relative error of the trial: 16 bits reach a hundredth."""

logger = logging.getLogger(__name__)


@cache
def agrees_with_cpu(device: torch.device, precision: torch.dtype) -> bool:
    """Whether the device computes a small network in this precision as the CPU does in float32.

    An error that means a lack of memory is raised again, since it says nothing about the next time.
    """
    import torch

    try:
        with torch.inference_mode():
            wanted = _small_network(torch.device("cpu"), torch.float32)
            found = _small_network(device, precision).float().cpu()
    except (RuntimeError, TypeError) as error:  # torch reports a missing type as either
        if is_out_of_memory(error):
            raise
        logger.info("%s does not compute in %s: %s", device, precision, error)
        return False
    error_of_it = float((found - wanted).norm() / wanted.norm())
    if error_of_it < MOST_ERROR:  # false if it is NaN
        return True
    logger.info("%s computes in %s with a relative error of %.3g", device, precision, error_of_it)
    return False


def _small_network(device: torch.device, precision: torch.dtype) -> Tensor:
    """Convolution, norm, activation, upsampling, attention: what the networks are made of."""
    import torch
    import torch.nn.functional as F

    generator = torch.Generator().manual_seed(0)

    def random(*shape: int, scale: float = 1.0) -> Tensor:
        return (torch.randn(*shape, generator=generator) * scale).to(device, precision)

    x = random(1, 64, 16, 16).contiguous(memory_format=torch.channels_last)
    x = F.conv2d(x, random(64, 64, 3, 3, scale=1 / 24), random(64), padding=1)
    x = F.silu(F.group_norm(x, 8, random(64), random(64)))
    x = F.conv2d(F.interpolate(x, scale_factor=2.0), random(32, 64, 3, 3, scale=1 / 24), stride=2, padding=1)
    tokens = x.flatten(2).transpose(1, 2)[None]  # (1, 1, 256, 32)
    return F.scaled_dot_product_attention(tokens, tokens, tokens)
