"""Weights and a face by the formula under which the reference network's fixtures were made."""

from __future__ import annotations

import zlib

import numpy as np
import torch
from torch import Tensor

from vidrestore.daefr import Daefr


def formula_weights(shapes: dict[str, list[int]]) -> dict[str, Tensor]:
    """A state dict for the authors' key names, drawn from a generator seeded by each key."""
    return {key: torch.from_numpy(_weight(key, tuple(shape))) for key, shape in shapes.items()}


def formula_face(size: int = 512) -> Tensor:
    """(1, 3, size, size) in [-1, 1]: waves with noise."""
    y, x = np.mgrid[0:size, 0:size] / size
    planes = np.stack(
        [
            np.sin(9 * x + 4 * y**2),
            np.cos(7 * y - 5 * x * y),
            np.sin(11 * (x - 0.5) ** 2 + 13 * (y - 0.5) ** 2),
        ]
    )
    noise = np.random.default_rng(2308).standard_normal((3, size, size), dtype=np.float32)
    return torch.from_numpy(np.clip(planes + 0.15 * noise, -1, 1).astype(np.float32))[None]


def authors_names(network: Daefr) -> dict[str, list[int]]:
    """The authors' key names and shapes for a network of ours: the inverse of the checkpoint's renaming."""
    prefixes = {
        "lq_encoder.": "vqvae.encoder.",
        "hq_encoder.": "vqvae.HQ_encoder.",
        "decoder.": "vqvae.decoder.",
        "lq_quant_conv.": "vqvae.quant_conv.",
        "hq_quant_conv.": "vqvae.HQ_quant_conv.",
        "post_quant_conv.": "vqvae.post_quant_conv.",
        "codebook.": "vqvae.Fixed_quantize.",
        "fusion.": "cross_attention.",
        "code_predictor.": "",
    }
    names = {}
    for key, tensor in network.state_dict().items():
        prefix = next(p for p in prefixes if key.startswith(p))
        names[prefixes[prefix] + key.removeprefix(prefix)] = list(tensor.shape)
    return names


def _weight(key: str, shape: tuple[int, ...]) -> np.ndarray:
    r = np.random.default_rng(zlib.crc32(key.encode())).standard_normal(shape, dtype=np.float32)
    if "position_emb" in key:
        return 4 * r
    if "quantize.embedding" in key:
        return r
    if len(shape) == 1:
        return 1 + 0.1 * r if key.rsplit(".", 1)[-1] == "weight" else 0.1 * r
    return r / np.sqrt(np.prod(shape[1:]), dtype=np.float32)
