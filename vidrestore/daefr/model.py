"""DAEFR at inference: two encoders, fusion, code transformer, codebook, decoder.

The forward pass is split, so that results can be blended over time:
`encode` -> fused features | blend over a track | `predict` -> logits -> codes -> `decode`.
The unnecessary work that docs/daefr.md lists is left out: quantising the degraded feature, losses, one-hot
products.
"""

from __future__ import annotations

from torch import Tensor, nn

from vidrestore.daefr.autoencoder import Decoder, Encoder
from vidrestore.daefr.blocks import AttentionBlock
from vidrestore.daefr.code_predictor import CodePredictor
from vidrestore.daefr.config import DaefrConfig
from vidrestore.daefr.detail_head import DetailHead
from vidrestore.daefr.vector_quantizer import Codebook


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
        self.detail_head: DetailHead | None = None
        if config.detail_width:
            self._detail_level = list(config.decoder_sides).index(config.detail_side)
            self.detail_head = DetailHead(config.decoder_sides[config.detail_side], config.detail_width)

    def encode(self, faces: Tensor) -> Tensor:
        """Fused features (N, embedding, L, L) of degraded faces."""
        z_hq = self.hq_quant_conv(self.hq_encoder(faces))
        return self.fusion(z_hq, self.lq_quant_conv(self.lq_encoder(faces)))

    def predict(self, fused: Tensor) -> Tensor:
        """Code logits (N, T, codes) of fused features."""
        return self.code_predictor(fused)

    def codes(self, logits: Tensor) -> Tensor:
        """The most probable codes (N, L, L) int64."""
        size = self.config.latent_size
        return logits.argmax(-1).unflatten(1, (size, size))

    def decode(self, quantised: Tensor, faces: Tensor | None = None) -> Tensor:
        """Faces (N, 3, S, S) of codebook vectors (N, embedding, L, L).

        Args:
            quantised: The codebook vectors.
            faces: (N, 3, S, S) the inputs, from which the detail head takes detail. Without them, or without
                a head, the network is plain DAEFR.
        """
        features = self.post_quant_conv(quantised)
        if faces is None or self.detail_head is None:
            return self.decoder(features)
        return self.detail_head(self.decoder.features_of_level(features, self._detail_level), faces)

    def forward(self, faces: Tensor) -> Tensor:
        logits = self.predict(self.encode(faces))
        return self.decode(self.codebook.look_up(self.codes(logits)))
