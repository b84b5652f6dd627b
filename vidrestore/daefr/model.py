"""DAEFR at inference: two encoders, fusion, code transformer, codebook, decoder.

The forward pass is split so that time can be blended in between:
`encode` -> fused features | blend over a track | `predict` -> logits -> codes -> `decode`.
None of the waste that the specification lists is done: no quantising of the degraded feature, no loss,
no one-hot products.
"""

from __future__ import annotations

from torch import Tensor, nn

from vidrestore.daefr.autoencoder import Decoder, Encoder
from vidrestore.daefr.blocks import AttentionBlock
from vidrestore.daefr.code_predictor import CodePredictor
from vidrestore.daefr.codebook import Codebook
from vidrestore.daefr.config import DaefrConfig


class Daefr(nn.Module):
    """Degraded faces (N, 3, S, S) in [-1, 1] -> restored faces, same shape and range, not clipped."""

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

    def encode(self, faces: Tensor) -> Tensor:
        """Fused features (N, embedding, L, L) of degraded faces."""
        z_hq = self.hq_quant_conv(self.hq_encoder(faces))
        z_lq = self.lq_quant_conv(self.lq_encoder(faces))
        return self.fusion(z_hq, z_lq)

    def predict(self, fused: Tensor) -> Tensor:
        """Code logits (N, T, codes) of fused features."""
        return self.code_predictor(fused)

    def codes(self, logits: Tensor) -> Tensor:
        """The most probable codes (N, L, L) int64."""
        size = self.config.latent_size
        return logits.argmax(-1).unflatten(1, (size, size))

    def decode(self, quantised: Tensor) -> Tensor:
        """Faces (N, 3, S, S) of codebook vectors (N, embedding, L, L)."""
        return self.decoder(self.post_quant_conv(quantised))

    def forward(self, faces: Tensor) -> Tensor:
        logits = self.predict(self.encode(faces))
        return self.decode(self.codebook.look_up(self.codes(logits)))
