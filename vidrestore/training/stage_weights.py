"""Files of weights that a training stage writes, for the next stage and for users."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from vidrestore.daefr import checkpoint
from vidrestore.daefr.config import PUBLISHED, DaefrConfig
from vidrestore.daefr.model import Daefr
from vidrestore.daefr.vqgan import Vqgan
from vidrestore.errors import UsageError, WeightsError
from vidrestore.runtime.replaced_file import replaced_file
from vidrestore.runtime.tensor_files import finite, read_checkpoint
from vidrestore.training.config import TrainConfig

logger = logging.getLogger(__name__)

_DISCRIMINATOR = "discriminator."
"""Prefix of the discriminator's tensors in a file."""
_AUTHORS_DISCRIMINATOR = "loss.discriminator.main."


def save_stage(modules: nn.ModuleDict, path: Path, discriminator: nn.Module | None = None) -> None:
    """Writes the networks of a stage as float32: a restorer in the format for users, or autoencoders by role.

    Args:
        modules: The networks by role.
        path: The file.
        discriminator: The discriminator of stage one, which stage two trains further; None: none.
    """
    with replaced_file(path) as partial:
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
            if discriminator is not None:
                state = discriminator.state_dict()
                tensors |= {_DISCRIMINATOR + name: t.detach().contiguous() for name, t in state.items()}
            save_file(tensors, partial, metadata={"vqgan": json.dumps(first.config.to_dict())})


def load_vqgan(path: Path, prefix: str = "", config: DaefrConfig = PUBLISHED) -> Vqgan:
    """An autoencoder from a file.

    Args:
        path: The file. This project's files contain their configuration; the authors' checkpoints do not.
        prefix: hq. or lq. for a file of stage two; otherwise empty.
        config: The expected configuration.

    Raises:
        WeightsError: There is no such autoencoder in it, or it does not fit.
    """
    if not path.is_file():
        raise WeightsError(f"there are no start weights at {path}: train the previous stage first")
    if path.suffix == ".safetensors":
        config, state = _read_stage(path, prefix)
    else:
        stored = read_checkpoint(path)
        state = checkpoint.autoencoder_from_authors(stored, path, prefix.rstrip(".") or "hq")
    network = Vqgan(config)
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise WeightsError(f"{path} has the autoencoder of another network, not of {config.name}") from error
    return network


def load_discriminator(path: Path, discriminator: nn.Module) -> None:
    """Loads the weights of the discriminator of stage one.

    If the file has none, as files of version 0.1, the discriminator keeps its own, with a warning.

    Args:
        path: The file of stage one.
        discriminator: The discriminator that gets the weights.

    Raises:
        UsageError: It has another size.
    """
    if path.suffix == ".safetensors":
        prefix, stored = _DISCRIMINATOR, load_file(path)
    else:
        prefix, stored = _AUTHORS_DISCRIMINATOR, read_checkpoint(path)
    state = {name.removeprefix(prefix): t for name, t in stored.items() if name.startswith(prefix)}
    if not state:
        logger.warning("%s has no discriminator: it starts from random weights", path)
        return
    try:
        discriminator.load_state_dict(state)
    except RuntimeError as error:
        raise UsageError(
            f"the discriminator in {path} is of another size: set loss.discriminator_filters as its stage had"
        ) from error


def autoencoder_of(path: Path) -> Vqgan:
    """An autoencoder for clean faces from a finished network: its HQ encoder, codebook and decoder.

    A released network lacks the encoder of stage one. The one that stage three trained is similar.
    """
    network = checkpoint.load(path)
    autoencoder = Vqgan(replace(network.config, detail_width=0))
    for ours, theirs in (
        (autoencoder.encoder, network.hq_encoder),
        (autoencoder.quant_conv, network.hq_quant_conv),
        (autoencoder.codebook, network.codebook),
        (autoencoder.post_quant_conv, network.post_quant_conv),
        (autoencoder.decoder, network.decoder),
    ):
        ours.load_state_dict(theirs.state_dict())
    return autoencoder


def _read_stage(path: Path, prefix: str) -> tuple[DaefrConfig, dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            header = (file.metadata() or {}).get("vqgan")
        if header is None:
            raise WeightsError(f"{path} has no autoencoder of stage one or two")
        config, tensors = DaefrConfig.from_dict(json.loads(header)), load_file(path)
    except (SafetensorError, OSError, ValueError, TypeError, RecursionError) as error:
        raise WeightsError(f"{path} cannot be read as weights: {error}") from error
    own = {
        name.removeprefix(prefix): t
        for name, t in tensors.items()
        if name.startswith(prefix) and not name.startswith(_DISCRIMINATOR)
    }
    return config, finite(own, path)


def require_start(config: TrainConfig, role: str) -> Path:
    """The path of the start weights for `role`. Raises UsageError if the configuration has none."""
    if role not in config.start:
        raise UsageError(f"this stage starts from weights of another stage: set start.{role} to their path")
    return config.start[role]
