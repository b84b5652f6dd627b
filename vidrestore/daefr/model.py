"""DAEFR at inference: two encoders, fusion, code transformer, codebook, decoder.

The forward pass is split, so that results can be blended over time:
`encode` -> fused features | blend over a track | `predict` -> logits -> codes -> `decode`.
The unnecessary work that docs/daefr.md lists is left out: quantising the degraded feature, losses, one-hot
products.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

from torch import Tensor, nn

from vidrestore.daefr.autoencoder import Decoder, Encoder
from vidrestore.daefr.blocks import AttentionBlock
from vidrestore.daefr.code_predictor import CodePredictor
from vidrestore.daefr.config import DaefrConfig
from vidrestore.daefr.detail_skip import DetailSkip, FeatureSkip
from vidrestore.daefr.vector_quantizer import Codebook
from vidrestore.runtime.pixel_blocks import shuffle


class Daefr(nn.Module):
    """From degraded faces (N, 3, S, S) in [-1, 1] to restored faces of the same shape, not clipped."""

    def __init__(self, config: DaefrConfig) -> None:
        super().__init__()
        self.config = config
        self.lq_encoder = Encoder(config)
        self.lq_quant_conv = nn.Conv2d(config.embedding, config.embedding, 1)
        self.hq_encoder = Encoder(config)
        self.hq_quant_conv = nn.Conv2d(config.embedding, config.embedding, 1)
        self.fusion = AttentionBlock(config.embedding, config.groups, heads=config.fusion_heads, cross=True)
        self.code_predictor = CodePredictor(config)
        self.codebook = Codebook(config.codes, config.embedding)
        self.post_quant_conv = nn.Conv2d(config.embedding, config.embedding, 1)
        self.decoder = Decoder(config)
        self.skips = nn.ModuleDict(
            {
                str(side): FeatureSkip(config.skip_channels[side], config.decoder_sides[side], config.groups)
                for side in config.skip_sides
            }
        )
        if config.detail_width:
            self.skips["detail"] = DetailSkip(config.detail_width)

    def encode(self, faces: Tensor) -> Tensor:
        """Fused features (N, embedding, L, L) of degraded faces."""
        return self.encode_with_levels(faces)[0]

    def encode_with_levels(
        self, faces: Tensor, sides: Collection[int] = ()
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Fused features, and features of the inputs on grids of these sides for skips, finest first."""
        lq, levels = self.lq_encoder.with_levels(faces, sides)
        z_hq = self.hq_quant_conv(self.hq_encoder(faces))
        return self.fusion(z_hq, self.lq_quant_conv(lq)), levels

    def predict(self, fused: Tensor) -> Tensor:
        """Code logits (N, T, codes) of fused features."""
        return self.code_predictor(fused)

    def codes(self, logits: Tensor) -> Tensor:
        """The most probable codes (N, L, L) int64."""
        size = self.config.latent_size
        return logits.argmax(-1).unflatten(1, (size, size))

    def decode(self, quantised: Tensor, levels: Sequence[Tensor] = (), detail: float = 1.0) -> Tensor:
        """Faces (N, 3, S, S) of codebook vectors (N, embedding, L, L).

        Args:
            quantised: The codebook vectors.
            levels: Features of the inputs on grids of `config.level_sides`, in this order, for the skips.
                Without them the network is plain DAEFR.
            detail: Weight of the skips, 0..1; 0 is plain DAEFR too.
        """
        features = self.post_quant_conv(quantised)
        if not levels or detail == 0:
            return self.decoder(features)
        skips = {
            side: partial(self.skips[str(side)], encoded=level, weight=detail)
            for side, level in zip(self.config.level_sides, levels, strict=True)
            if side in self.config.skip_sides
        }
        if not self.config.detail_width:
            return self.decoder(features, skips)
        skip = self.skips["detail"]
        assert isinstance(skip, DetailSkip)
        if self.decoder.stem != skip.STRIDE:
            return skip(self.decoder(features, skips), shuffle(levels[0], skip.STRIDE), detail)
        # Both work on blocks of pixels; pixel-shuffle and unshuffle between them would only take time.
        blocks = skip.in_blocks(self.decoder.in_blocks(features, skips), levels[0], detail)
        return shuffle(blocks, skip.STRIDE)

    def forward(self, faces: Tensor) -> Tensor:
        logits = self.predict(self.encode(faces))
        return self.decode(self.codebook.look_up(self.codes(logits)))
