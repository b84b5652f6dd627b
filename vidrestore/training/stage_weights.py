"""Weights handed from one training stage to the next, and from the last one to users."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import nn

from vidrestore.daefr import checkpoint
from vidrestore.daefr.config import DaefrConfig
from vidrestore.daefr.model import Daefr
from vidrestore.daefr.vqgan import Vqgan
from vidrestore.errors import UsageError, WeightsError
from vidrestore.training.config import TrainConfig


def save_stage(modules: nn.ModuleDict, path: Path) -> None:
    """Write the networks of a stage, float32: a restorer as users read it, autoencoders under their roles."""
    partial = path.with_name(f".{path.name}.partial")
    if "network" in modules:
        network = modules["network"]
        assert isinstance(network, Daefr)
        checkpoint.save(network, partial, dtype=next(network.parameters()).dtype)
    else:
        first = next(iter(modules.values()))
        assert isinstance(first, Vqgan)
        tensors = {
            name.removeprefix("autoencoder."): t.detach().contiguous()
            for name, t in modules.state_dict().items()
        }
        save_file(tensors, partial, metadata={"vqgan": json.dumps(first.config.to_dict())})
    partial.replace(path)


def load_vqgan(path: Path, prefix: str = "") -> Vqgan:
    """The autoencoder stored at `path` under `prefix`; raises WeightsError where there is none."""
    if not path.is_file():
        raise WeightsError(f"there are no start weights at {path}: train the stage before this one first")
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        header = (file.metadata() or {}).get("vqgan")
    if header is None:
        raise WeightsError(f"{path} holds no autoencoder of the first or second stage")
    network = Vqgan(DaefrConfig.from_dict(json.loads(header)))
    state = {k.removeprefix(prefix): v for k, v in load_file(path).items() if k.startswith(prefix)}
    network.load_state_dict(state)
    return network


def require_start(config: TrainConfig, role: str) -> Path:
    """The start weights the configuration names for `role`; raises UsageError where it names none."""
    if role not in config.start:
        raise UsageError(f"this stage starts from another one's weights: set start.{role} to their path")
    return config.start[role]
