"""A small training configuration."""

from __future__ import annotations

from vidrestore.daefr import DaefrConfig

SMALL = DaefrConfig(
    name="compact",
    image_size=32,
    encoder_widths=(16,),
    encoder_stem=4,
    decoder_widths=(16, 16),
    decoder_stem=2,
    encoder_blocks=1,
    decoder_blocks=1,
    level_attention=False,
    groups=4,
    embedding=16,
    codes=12,
    fusion_heads=2,
    width=16,
    layers=1,
    heads=2,
    feedforward=16,
    detail_width=16,
)
