"""The recognition network's file: 8-bit values with a scale and an offset for each output channel.

The file holds three tensors for such a weight: `NAME` uint8, `NAME.scale` and `NAME.offset` (O,) float32;
the weight is value * scale + offset. All other tensors are plain float16 or float32.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from vidrestore.errors import WeightsError
from vidrestore.identity.network import RecognitionNetwork
from vidrestore.runtime.skip_initialisation import SkipInitialisation

SCALE, OFFSET = ".scale", ".offset"


def load_recognition_network(path: Path) -> RecognitionNetwork:
    """The network with the weights in `path`, float32, in evaluation mode.

    Raises:
        WeightsError: There is no such file, or it has no weights of the recognition network.
    """
    with SkipInitialisation():
        network = RecognitionNetwork()
    try:
        network.load_state_dict(_to_floats(load_file(path)))
    except (OSError, SafetensorError, RuntimeError, KeyError) as error:
        first = str(error).split("\n", 1)[0]
        raise WeightsError(f"{path} has no weights of the recognition network: {first}") from error
    return network.eval().requires_grad_(False)


def _to_floats(stored: dict[str, Tensor]) -> dict[str, Tensor]:
    state = {}
    for name, tensor in stored.items():
        if name.endswith((SCALE, OFFSET)):
            continue
        if tensor.dtype == torch.uint8:
            across = (-1, *[1] * (tensor.dim() - 1))
            scale, offset = stored[name + SCALE].view(across), stored[name + OFFSET].view(across)
            state[name] = tensor.float() * scale + offset
        else:
            state[name] = tensor.float()
    return state
