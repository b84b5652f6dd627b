"""Makes recognition.safetensors from the model files of the npm package @vladmandic/face-api (1.7.15).

    python -m vidrestore.identity.convert FOLDER/model recognition.safetensors

The package has dlib's network with 8-bit values, which are not changed. Convolution, bias, scale and bias are
combined into one convolution with a scale and an offset for each output channel.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor

from vidrestore.identity.checkpoint import OFFSET, SCALE
from vidrestore.identity.network import STAGES

_MODEL = "face_recognition_model"


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor of the package: `values` * `scale` + `offset`."""

    values: NDArray[np.generic]
    scale: float = 1.0
    offset: float = 0.0

    @property
    def floats(self) -> NDArray[np.float64]:
        return self.values.astype(np.float64) * self.scale + self.offset


def convert(folder: Path, target: Path) -> None:
    """Writes the network from `folder` to `target`."""
    stored = read_package(folder)
    tensors: dict[str, Tensor] = {}
    _add_convolution(tensors, "stem", stored, "conv32_down")
    for number, name in enumerate(_block_names()):
        _add_convolution(tensors, f"blocks.{number}.first", stored, f"{name}/conv1")
        _add_convolution(tensors, f"blocks.{number}.second", stored, f"{name}/conv2")
    _add_weight(tensors, "descriptor.weight", stored["fc"], np.ones(stored["fc"].values.shape[-1]))
    save_file(tensors, target, metadata={"network": "dlib_face_recognition_resnet_v1"})


def read_package(folder: Path) -> dict[str, Stored]:
    """The tensors by their names in the package."""
    manifest = json.loads((folder / f"{_MODEL}-weights_manifest.json").read_text(encoding="utf-8"))
    found: dict[str, Stored] = {}
    for group in manifest:
        content = b"".join((folder / path).read_bytes() for path in group["paths"])
        at = 0
        for entry in group["weights"]:
            quantised = entry.get("quantization", {})
            kind = np.dtype(quantised.get("dtype", entry["dtype"]))
            count = int(np.prod(entry["shape"]))
            values = np.frombuffer(content, kind, count, at).reshape(entry["shape"])
            found[entry["name"]] = Stored(values, quantised.get("scale", 1.0), quantised.get("min", 0.0))
            at += values.nbytes
    return found


def _block_names() -> list[str]:
    """The package's names of blocks: conv64_down, conv64_1, …, conv256_down_out."""
    names = []
    for stage, (width, count, halves) in enumerate(STAGES):
        is_last = stage == len(STAGES) - 1
        if halves:
            names.append(f"conv{width}_down{'_out' if is_last else ''}")
        names += [f"conv{width}_{number}" for number in range(1, count + (not halves))]
    return names


def _add_convolution(tensors: dict[str, Tensor], name: str, stored: dict[str, Stored], prefix: str) -> None:
    gain, shift = stored[f"{prefix}/scale/weights"].floats, stored[f"{prefix}/scale/biases"].floats
    bias = stored[f"{prefix}/conv/bias"].floats
    _add_weight(tensors, f"{name}.weight", stored[f"{prefix}/conv/filters"], gain)
    tensors[f"{name}.bias"] = _tensor(bias * gain + shift, np.float32)


def _add_weight(tensors: dict[str, Tensor], name: str, weight: Stored, gain: NDArray[np.float64]) -> None:
    """A weight whose last axis are the output channels, each multiplied by its gain."""
    order = (3, 2, 0, 1) if weight.values.ndim == 4 else (1, 0)
    if weight.values.dtype == np.uint8:
        tensors[name] = _tensor(weight.values.transpose(order), np.uint8)
        tensors[name + SCALE] = _tensor(weight.scale * gain, np.float32)
        tensors[name + OFFSET] = _tensor(weight.offset * gain, np.float32)
    else:
        tensors[name] = _tensor((weight.floats * gain).transpose(order), np.float16)


def _tensor(values: NDArray[np.generic], kind: type[np.generic]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values.astype(kind)))


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
