"""Reading and writing weights: our safetensors, and the authors' Lightning checkpoints.

A safetensors file holds the tensors needed at inference and, in its header, the configuration, so that the
file rebuilds its own network. The authors' file holds 877 tensors, of which training alone needs some
(docs/daefr.md, "State dict of the final checkpoint"); those are dropped, nothing else is tolerated.
"""

from __future__ import annotations

import json
import pickle
import re
import zipfile
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from vidrestore.daefr.config import PUBLISHED, DaefrConfig
from vidrestore.daefr.model import Daefr
from vidrestore.errors import WeightsError

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
_RENAMED_FIELDS = {"fidelity_sides": "skip_sides", "fidelity_picture": "detail_width"}
"""Of the configuration in a file's header: what earlier files call it -> what it is."""
_REPLACED_BY_THE_RULE = ("fidelity.picture.mend.", "fidelity.picture.verdict.")
"""Tensors of earlier files: what kept a face that lost little, which is the evidence network's part now."""

_TRAINING_ONLY = re.compile(
    r"^(Fixed_encoder\.|Fixed_quant_conv\.|HQ_quantize\.|LQ_quantize\.|loss\.|.*discriminator|.*logit_scale"
    r"|.*\.(attn_1|attn\.\d+)\.norm2\.)"
)


class _SkipInitialisation(TorchFunctionMode):
    """Modules are made without the random weights that training begins with, which take longer than reading.

    Until others are put there, weights are whatever the memory held. torch's meta device would do the same,
    after a second of imports.
    """

    _DRAWS = (
        nn.init.kaiming_uniform_, nn.init.uniform_, nn.init.normal_, Tensor.uniform_, Tensor.normal_,
    )  # fmt: skip

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        named = kwargs or {}
        if func in self._DRAWS:
            return args[0] if args else named["tensor"]
        return (torch.empty if func is torch.randn else func)(*args, **named)


def load(path: Path, config: DaefrConfig | None = None) -> Daefr:
    """The network stored at `path`, float32, in eval mode, on the CPU.

    `path` is one of our safetensors files or a checkpoint of the authors. `config` is for checkpoints, which
    do not carry one; None means the published configuration. Raises WeightsError with a sentence that names
    what is missing or does not fit.
    """
    if not path.is_file():
        raise WeightsError(f"there are no weights at {path}")
    if path.suffix == ".safetensors":
        config, state = read_safetensors(path)
    else:
        config, state = config or PUBLISHED, from_authors(read_checkpoint(path), path)
    with _SkipInitialisation():
        network = Daefr(config)
    _check(state, network.state_dict(), path)
    # Copies: what was read may be a view of the file, which may change.
    copies = {name: tensor.to(torch.float32, copy=True) for name, tensor in state.items()}
    network.load_state_dict(copies, assign=True)
    return network.eval().requires_grad_(False)


def save(network: Daefr, path: Path, dtype: torch.dtype = torch.float16) -> None:
    """Write `network` as safetensors with its configuration in the header."""
    tensors = {name: tensor.detach().to(dtype).contiguous() for name, tensor in network.state_dict().items()}
    save_file(tensors, path, metadata={HEADER_KEY: json.dumps(network.config.to_dict())})


def convert(source: Path, target: Path) -> None:
    """Turn a checkpoint of the authors into safetensors without its training-only parts, in float32."""
    partial = target.with_name(f".{target.name}.partial")
    try:
        save(load(source), partial, torch.float32)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def read_safetensors(path: Path) -> tuple[DaefrConfig, dict[str, Tensor]]:
    """Configuration and tensors of one of our files."""
    try:
        with safe_open(path, framework="pt") as file:
            header = (file.metadata() or {}).get(HEADER_KEY)
            if header is None:
                raise WeightsError(f"{path} holds weights of another kind: its header names no DAEFR network")
            fields = {_RENAMED_FIELDS.get(name, name): value for name, value in json.loads(header).items()}
            names = {name: _current_name(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
            tensors = {new: file.get_tensor(old) for old, new in names.items() if new is not None}
            return DaefrConfig.from_dict(fields), tensors
    except (SafetensorError, ValueError, TypeError) as error:
        raise WeightsError(f"{path} cannot be read as weights: {error}") from error


def _current_name(name: str) -> str | None:
    """A tensor's name in files as they are written now, by its name in an earlier file; None: not needed."""
    if name.startswith(_REPLACED_BY_THE_RULE):
        return None
    if name.startswith("fidelity."):
        return name.replace("fidelity.picture.", "fidelity.detail.").replace("fidelity.", "skips.", 1)
    return name


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """The state dict of a PyTorch or Lightning checkpoint, without running any code it may carry."""
    try:
        stubs = _stubs(path)
        with torch.serialization.safe_globals(stubs):
            loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, AttributeError) as error:
        raise WeightsError(f"{path} cannot be read as a checkpoint: {_first_line(error)}") from error
    except LookupError as error:  # what the unpickler says of a file that is none, such as a text
        raise WeightsError(f"{path} cannot be read as a checkpoint: it is a file of another kind") from error
    state = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else None
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()) or not state:
        raise WeightsError(f"{path} is not a checkpoint: it holds no table of named tensors")
    return state


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
        else:
            ours[_PREFIXES[prefix] + name.removeprefix(prefix)] = tensor
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


def _check(state: dict[str, Tensor], wanted: dict[str, Tensor], path: Path) -> None:
    missing = [name for name in wanted if name not in state]
    extra = [name for name in state if name not in wanted]
    if missing or extra:
        problem = (
            f"misses {_list_names(missing)}"
            if missing
            else f"holds more than it should: {_list_names(extra)}"
        )
        raise WeightsError(f"{path} does not fit the network: it {problem}")
    for name, tensor in state.items():
        if tensor.shape != wanted[name].shape:
            raise WeightsError(
                f"{path} does not fit the network: {name} is {tuple(tensor.shape)}, "
                f"not {tuple(wanted[name].shape)}"
            )


def _stubs(path: Path) -> list[Any]:
    """Empty classes under the names a Lightning file mentions, so that it loads without running anything."""
    try:
        names = torch.serialization.get_unsafe_globals_in_checkpoint(str(path))
    except ValueError:  # files from before PyTorch 1.6 cannot be asked
        return []
    lightning = [name for name in names if name.startswith(("pytorch_lightning.", "lightning."))]
    # A stub may be built from the pickled state but does nothing with it.
    return [
        (type(name.rpartition(".")[2], (), {"__setstate__": lambda *_: None}), name) for name in lightning
    ]


def _list_names(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n", 1)[0] or type(error).__name__
