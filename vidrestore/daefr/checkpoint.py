"""Reads and writes weights: this project's safetensors files and the authors' Lightning checkpoints.

A safetensors file has the tensors for inference and, in its header, the configuration of its network. The
authors' file has 877 tensors, some of them for training only (docs/daefr.md, "State dict of the final
checkpoint"). These are dropped; all other differences are errors.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from vidrestore.daefr.config import COMPACT, PUBLISHED, DaefrConfig
from vidrestore.daefr.model import Daefr
from vidrestore.errors import OutputError, WeightsError
from vidrestore.runtime.file_kinds import is_own_kind
from vidrestore.runtime.marked_folder import temporary_name
from vidrestore.runtime.put_in_place import put_in_place
from vidrestore.runtime.skip_initialisation import SkipInitialisation
from vidrestore.runtime.tensor_files import check_shapes, finite, open_safetensors, read_checkpoint, shapes_of

HEADER_KEY = "daefr"

# authors' prefix (without "vqvae.") -> ours
_PREFIXES = {
    "encoder.": "lq_encoder.",
    "HQ_encoder.": "hq_encoder.",
    "decoder.": "decoder.",
    "quant_conv.": "lq_quant_conv.",
    "HQ_quant_conv.": "hq_quant_conv.",
    "post_quant_conv.": "post_quant_conv.",
    "Fixed_quantize.": "codebook.",
    "cross_attention.": "fusion.",
    "position_emb": "code_predictor.position_emb",
    "feat_emb.": "code_predictor.feat_emb.",
    "ft_layers.": "code_predictor.ft_layers.",
    "idx_pred_layer.": "code_predictor.idx_pred_layer.",
}
_TRAINING_ONLY = re.compile(
    r"^(Fixed_encoder\.|Fixed_quant_conv\.|HQ_quantize\.|LQ_quantize\.|loss\.|.*discriminator|.*logit_scale"
    r"|.*\.(attn_1|attn\.\d+)\.norm2\.)"
)


def load(path: Path, config: DaefrConfig | None = None) -> Daefr:
    """The network from a file, float32, in eval mode, on the CPU.

    Args:
        path: A safetensors file of this project, or a checkpoint of the authors.
        config: The configuration for a checkpoint, which has none; None: the published configuration.

    Raises:
        WeightsError: Something is missing or does not fit; the message names it.
    """
    if path.suffix == ".safetensors":
        with open_safetensors(path) as file:
            network = _blank(_config(file.header, path))
            state = file.tensors(shapes_of(network.state_dict()))
    else:
        network = _blank(config or PUBLISHED)
        authors = from_authors(read_checkpoint(path), path)
        check_shapes(shapes_of(authors), shapes_of(network.state_dict()), path)
        state = finite(authors, path)
    if next(network.parameters()).is_meta:
        with SkipInitialisation():
            network = Daefr(network.config)
    network.load_state_dict(state, assign=True)
    return network.eval().requires_grad_(False)


def save(network: Daefr, path: Path, dtype: torch.dtype = torch.float16) -> None:
    """Writes a network as safetensors, with its configuration in the header.

    Args:
        network: The network.
        path: The file.
        dtype: The type of the stored weights.
    """
    tensors = {name: tensor.detach().to(dtype).contiguous() for name, tensor in network.state_dict().items()}
    save_file(tensors, path, metadata={HEADER_KEY: json.dumps(network.config.to_dict())})


def convert(source: Path, target: Path) -> None:
    """Converts a checkpoint of the authors to safetensors in float32, without the parts for training.

    Raises:
        OutputError: `target` exists, or cannot be written.
        WeightsError: `source` is not such a checkpoint.
    """
    if not is_own_kind(target, "missing"):
        raise OutputError(f"{target} exists already; choose another name")
    network = load(source)
    new = target.with_name(temporary_name(".", target.name, target.parent))
    try:
        save(network, new, torch.float32)
        put_in_place(new, target, overwrite=False)
    except (OSError, SafetensorError) as error:
        raise OutputError(f"cannot write {target}: {getattr(error, 'strerror', None) or error}") from error
    finally:
        new.unlink(missing_ok=True)


def _config(header: dict[str, str], path: Path) -> DaefrConfig:
    if HEADER_KEY not in header:
        raise WeightsError(f"{path} has weights of another kind: its header names no DAEFR network")
    return DaefrConfig.from_dict(json.loads(header[HEADER_KEY]))


def _blank(config: DaefrConfig) -> Daefr:
    """The network without weights. For an unknown configuration, no memory is used for them either.

    A header may require more memory than there is. torch's meta device takes a second of imports.
    """
    with SkipInitialisation() if config in (COMPACT, PUBLISHED) else torch.device("meta"):
        return Daefr(config)


def from_authors(state: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    """The tensors with this project's names, without those for training only.

    Args:
        state: The tensors of the authors' checkpoint.
        path: Its path, for messages.

    Raises:
        WeightsError: There is an unknown name, or a name twice.
    """
    ours: dict[str, Tensor] = {}
    unknown: list[str] = []
    for key, tensor in state.items():
        name = key.removeprefix("vqvae.")
        if _TRAINING_ONLY.match(name):
            continue
        prefix = next((p for p in sorted(_PREFIXES, key=len, reverse=True) if name.startswith(p)), None)
        if prefix is None:
            unknown.append(key)
        elif (ours_name := _PREFIXES[prefix] + name.removeprefix(prefix)) in ours:
            raise WeightsError(f"{path} is not a checkpoint of the network: it has {name} twice")
        else:
            ours[ours_name] = tensor
    if unknown:
        raise WeightsError(f"{path} is a checkpoint of another network: it has {_list_names(unknown)}")
    return ours


def autoencoder_from_authors(state: dict[str, Tensor], path: Path, role: str = "hq") -> dict[str, Tensor]:
    """The tensors of one `daefr.vqgan.Vqgan` from a checkpoint of the authors' stage one or two.

    Args:
        state: The tensors of the checkpoint.
        path: Its path, for messages.
        role: hq or lq for a file of stage two; a file of stage one has a single autoencoder. Names may lack
            the prefix.

    Raises:
        WeightsError: There is no such autoencoder in it.
    """
    both = any(key.startswith("vqvae_LQ.") for key in state)
    prefix = "vqvae_LQ." if both and role == "lq" else "vqvae."
    ours: dict[str, Tensor] = {}
    for key, tensor in state.items():
        other = key.startswith(("loss", "vqvae_LQ.", "vqvae.")) and not key.startswith(prefix)
        name = key.removeprefix(prefix)
        if not other and not _TRAINING_ONLY.match(name):
            ours[name.replace("quantize.", "codebook.", 1) if name.startswith("quantize.") else name] = tensor
    if "codebook.embedding.weight" not in ours:
        raise WeightsError(f"{path} has no autoencoder of stage one or two")
    return ours


def _list_names(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
