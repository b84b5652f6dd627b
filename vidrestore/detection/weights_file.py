"""Loads weights of the detector's networks."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from vidrestore.errors import WeightsError
from vidrestore.runtime.skip_initialisation import SkipInitialisation
from vidrestore.runtime.tensor_files import open_safetensors, shapes_of

N = TypeVar("N", bound=nn.Module)


def load_weights(make: Callable[[], N], path: Path, name: str) -> N:
    """The network with the weights in `path`, in eval mode.

    Files hold 16-bit numbers; the network computes in 32 bits.

    Args:
        make: Makes the network.
        path: The safetensors file.
        name: The network's name, for messages.

    Raises:
        WeightsError: The weights do not fit.
    """
    with SkipInitialisation():
        network = make()
    try:
        with open_safetensors(path) as file:
            state = file.tensors(shapes_of(network.state_dict()))
    except WeightsError as error:
        raise WeightsError(f"{path} has no weights of {name}: {error}") from error
    network.load_state_dict(state)
    return network.eval().requires_grad_(False)


def fuse_batchnorm(network: N) -> N:
    """The network for inference: each batch normalisation is folded into the convolution before it.

    Memory is channels-last, in which a CPU's convolutions are fastest, and ReLUs work in place: for a picture
    of 640 x 360, allocating tensors took half as long as the convolutions.
    """
    for module in list(network.modules()):
        if isinstance(module, nn.ReLU):
            module.inplace = True
        if isinstance(module, nn.Sequential):
            for name, (first, second) in enumerate(pairwise(list(module))):
                if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                    module[name], module[name + 1] = fuse_conv_bn_eval(first, second), nn.Identity()
    return network.to(memory_format=torch.channels_last)
