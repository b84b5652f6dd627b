"""The autoencoder of stages one and two: encoder, codebook, decoder (docs/daefr.md, "Stage 1")."""

from __future__ import annotations

from torch import Tensor, nn

from vidrestore.daefr.autoencoder import Decoder, Encoder
from vidrestore.daefr.config import DaefrConfig
from vidrestore.daefr.vector_quantizer import Codebook


class Vqgan(nn.Module):
    """Reconstructs faces with a codebook. One is trained on clean faces and one on degraded ones."""

    def __init__(self, config: DaefrConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.quant_conv = nn.Conv2d(config.embedding, config.embedding, 1)
        self.codebook = Codebook(config.codes, config.embedding)
        self.post_quant_conv = nn.Conv2d(config.embedding, config.embedding, 1)
        self.decoder = Decoder(config)

    def encode(self, faces: Tensor) -> Tensor:
        """Features (N, embedding, L, L) before quantisation of faces (N, 3, S, S) in [-1, 1]."""
        return self.quant_conv(self.encoder(faces))

    def decode(self, quantised: Tensor) -> Tensor:
        """Faces (N, 3, S, S) of codebook vectors (N, embedding, L, L)."""
        return self.decoder(self.post_quant_conv(quantised))
