"""Weights of the detector's networks, from their files into them."""

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
    """The network with the weights in `path`, in eval mode; raises WeightsError where they do not fit.

    Files hold 16-bit numbers; the network computes in 32 bits.
    """
    with SkipInitialisation():
        network = make()
    try:
        with open_safetensors(path) as file:
            state = file.tensors(shapes_of(network.state_dict()))
    except WeightsError as error:
        raise WeightsError(f"{path} holds no weights of {name}: {error}") from error
    network.load_state_dict(state)
    return network.eval().requires_grad_(False)


def fuse_batchnorm(network: N) -> N:
    """The network for use, not for training: each normalisation folded into the convolution before it.

    In the order of memory that a processor's convolutions are quickest in, and with its ReLUs in place: for a
    picture of 640 x 360, new tensors took half as long as the convolutions.
    """
    for module in list(network.modules()):
        if isinstance(module, nn.ReLU):
            module.inplace = True
        if isinstance(module, nn.Sequential):
            for name, (first, second) in enumerate(pairwise(list(module))):
                if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                    module[name], module[name + 1] = fuse_conv_bn_eval(first, second), nn.Identity()
    return network.to(memory_format=torch.channels_last)
