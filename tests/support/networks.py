"""Small networks, and how far two results are apart."""

from __future__ import annotations

from torch import Tensor

from vidrestore.daefr import DaefrConfig

SMALL = DaefrConfig(
    name="small",
    image_size=32,
    encoder_widths=(32, 64),
    decoder_widths=(32, 64),
    encoder_blocks=1,
    decoder_blocks=2,
    embedding=64,
    codes=48,
    width=64,
    layers=2,
    feedforward=96,
)


def relative(ours: Tensor, expected: Tensor) -> float:
    return float((ours.double() - expected.double()).norm() / expected.double().norm())
