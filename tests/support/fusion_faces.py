"""Faces and estimates that the fusion rule is tested with."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from hypothesis import strategies as st
from torch import Tensor

from vidrestore.evidence import Evidence, split_bands
from vidrestore.evidence.pyramid import BANDS, downsample

SIZE = 64
CODE = 1 / 255

textures = st.sampled_from(["white", "soft", "octaves", "edge", "flat"])
seeds = st.integers(0, 2**31)
scales = st.floats(0, 0.1)


def texture(kind: str, seed: int) -> Tensor:
    """(1, 3, SIZE, SIZE) in 0..1: what an estimate or a drawn face may look like, and what neither does."""
    generator = torch.Generator().manual_seed(seed)

    def noise(side: int) -> Tensor:
        coarse = torch.rand(1, 3, side, side, generator=generator)
        return F.interpolate(coarse, size=SIZE, mode="bilinear", align_corners=False)

    if kind == "white":
        return noise(SIZE)
    if kind == "soft":
        return noise(8)
    if kind == "octaves":
        return torch.stack([noise(SIZE // 2**k) for k in range(5)]).mean(0)
    picture = torch.full((1, 3, SIZE, SIZE), 0.3)
    if kind == "edge":
        picture[..., SIZE // 2 :] = 0.8
    return picture


def evidence_of(mean: Tensor, bands: float | Sequence[float]) -> Evidence:
    """An estimate with the same scale at every pixel of a band."""
    values = torch.full((BANDS,), bands) if isinstance(bands, float | int) else torch.tensor([*bands])
    return Evidence(mean, values.float()[None, :, None, None].expand(1, BANDS, SIZE // 2, SIZE // 2))


def luma_of(picture: Tensor) -> Tensor:
    """(N, 1, SIZE, SIZE)"""
    return (picture * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)


def rms(picture: Tensor) -> float:
    return picture.square().mean().sqrt().item()


def low_passed(picture: Tensor, times: int) -> Tensor:
    for _ in range(times):
        picture = downsample(picture)
    return picture


def band_of(picture: Tensor, k: int) -> Tensor:
    return split_bands(luma_of(picture))[k]
