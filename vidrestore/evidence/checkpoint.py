"""Weights of evidence networks: one safetensors file with the configuration in its header."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from vidrestore.errors import WeightsError
from vidrestore.evidence.network import EvidenceConfig, EvidenceNetwork
from vidrestore.runtime.replaced_file import replaced_file
from vidrestore.runtime.skip_initialisation import SkipInitialisation
from vidrestore.runtime.tensor_files import open_safetensors, shapes_of

_HEADER = "evidence"


def save_evidence(network: EvidenceNetwork, path: Path, *, dtype: torch.dtype = torch.float16) -> None:
    """Write the network's weights atomically: the file is complete, or it is not there.

    Args:
        network: The network to save.
        path: The file to write.
        dtype: Type of the stored values.
    """
    tensors = {name: t.detach().to(dtype).contiguous() for name, t in network.state_dict().items()}
    with replaced_file(path) as partial:
        save_file(tensors, partial, metadata={_HEADER: json.dumps(network.config.to_dict())})


def load_evidence(path: Path) -> EvidenceNetwork:
    """The network stored at `path`, float32, in evaluation mode.

    Raises:
        WeightsError: The file does not exist, or does not hold finite weights of an evidence network.
    """
    with open_safetensors(path) as file:
        config = _config(file.header, path)
        # On "meta" the weights take no memory: a damaged header may ask for more than there is.
        with SkipInitialisation(), torch.device("cpu" if config == EvidenceConfig() else "meta"):
            shapes = shapes_of(EvidenceNetwork(config).state_dict())
        state = file.tensors(shapes)
    with SkipInitialisation():
        network = EvidenceNetwork(config)
    network.load_state_dict(state)
    return network.eval()


def _config(header: dict[str, str], path: Path) -> EvidenceConfig:
    if _HEADER not in header:
        raise WeightsError(f"{path} does not hold the weights of an evidence network")
    return EvidenceConfig.from_dict(json.loads(header[_HEADER]))
