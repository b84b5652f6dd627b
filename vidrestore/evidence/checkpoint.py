"""Weights of evidence networks: one safetensors file with the configuration in its header."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from vidrestore.errors import WeightsError
from vidrestore.evidence.network import EvidenceConfig, EvidenceNetwork

_HEADER = "evidence"


def save_evidence(network: EvidenceNetwork, path: Path, *, dtype: torch.dtype = torch.float16) -> None:
    """Write the network's weights, in 16 bits unless asked otherwise; the file is whole or not there."""
    tensors = {name: t.detach().to(dtype).contiguous() for name, t in network.state_dict().items()}
    partial = path.with_name(f".{path.name}.partial")
    save_file(tensors, partial, metadata={_HEADER: json.dumps(network.config.to_dict())})
    partial.replace(path)


def load_evidence(path: Path) -> EvidenceNetwork:
    """The network stored at `path`, float32, in evaluation mode.

    Raises:
        WeightsError: there is no such file, or it does not hold finite weights of an evidence network.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = (file.metadata() or {}).get(_HEADER)
            if header is None:
                raise WeightsError(f"{path} does not hold the weights of an evidence network")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        network = EvidenceNetwork(EvidenceConfig.from_dict(json.loads(header)))
        network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    except (OSError, SafetensorError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        raise WeightsError(f"cannot read evidence weights from {path}: {error}".replace("\n", " ")) from error
    if not all(torch.isfinite(tensor).all() for tensor in network.state_dict().values()):
        raise WeightsError(f"{path} holds weights that are not finite numbers")
    return network.eval()
