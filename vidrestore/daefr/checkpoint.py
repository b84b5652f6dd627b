"""Reading and writing weights: our safetensors, and the authors' Lightning checkpoints.

A safetensors file holds the tensors needed at inference and, in its header, the configuration, so that the
file rebuilds its own network. The authors' file holds 877 tensors, of which training alone needs some
(docs/daefr.md, "State dict of the final checkpoint"); those are dropped, nothing else is tolerated.
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
    """The network stored at `path`, float32, in eval mode, on the CPU.

    `path` is one of our safetensors files or a checkpoint of the authors. `config` is for checkpoints, which
    do not carry one; None means the published configuration. Raises WeightsError with a sentence that names
    what is missing or does not fit.
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
    """Write `network` as safetensors with its configuration in the header."""
    tensors = {name: tensor.detach().to(dtype).contiguous() for name, tensor in network.state_dict().items()}
    save_file(tensors, path, metadata={HEADER_KEY: json.dumps(network.config.to_dict())})


def convert(source: Path, target: Path) -> None:
    """Turn a checkpoint of the authors into safetensors without its training-only parts, in float32.

    Raises:
        OutputError: something is at `target` already, or it cannot be written.
        WeightsError: `source` is no such checkpoint.
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
        raise WeightsError(f"{path} holds weights of another kind: its header names no DAEFR network")
    return DaefrConfig.from_dict(json.loads(header[HEADER_KEY]))


def _blank(config: DaefrConfig) -> Daefr:
    """The network without weights; one that nobody knows to be small without memory for them either.

    A header may ask for more than there is. torch's meta device takes a second of imports.
    """
    with SkipInitialisation() if config in (COMPACT, PUBLISHED) else torch.device("meta"):
        return Daefr(config)


def from_authors(state: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    """Rename the authors' keys to ours and drop what only training needs.

    Raises WeightsError for a key that belongs to neither.
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
            raise WeightsError(f"{path} is no checkpoint of the network: it holds {name} twice")
        else:
            ours[ours_name] = tensor
    if unknown:
        raise WeightsError(f"{path} is a checkpoint of another network: it holds {_list_names(unknown)}")
    return ours


def autoencoder_from_authors(state: dict[str, Tensor], path: Path, role: str = "hq") -> dict[str, Tensor]:
    """The tensors of one `daefr.vqgan.Vqgan` in a checkpoint of the authors' first or second stage.

    `role`: in the second stage's file, hq or lq; the first stage's files hold one autoencoder each. Keys may
    lack the prefix. Raises WeightsError where no such autoencoder is in it.
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
        raise WeightsError(f"{path} holds no autoencoder of the first or second stage")
    return ours


def _list_names(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
