"""The vector quantiser (docs/daefr.md, "Training")."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vidrestore.daefr.blocks import to_grid, to_tokens

CODEBOOK_SHARE = 0.25
"""Weight of the codebook's term in the loss, as in the authors' code; the encoder's term has weight 1."""


class Codebook(nn.Module):
    """A codebook of `codes` vectors of length `embedding`."""

    def __init__(self, codes: int, embedding: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(codes, embedding)
        nn.init.uniform_(self.embedding.weight, -1.0 / codes, 1.0 / codes)

    def nearest(self, features: Tensor) -> Tensor:
        """Codes (N, L, L) int64 of the nearest vectors to features (N, C, L, L), by squared distance."""
        size = features.shape[-1]
        z = to_tokens(features).float()  # (N, T, C)
        table = self.embedding.weight.float()
        with torch.autocast(z.device.type, enabled=False):  # 16 bits would give other codes
            # |z|² is the same for every code, so it is left out.
            distance = table.square().sum(1) - 2.0 * z @ table.t()  # (N, T, K)
        return distance.argmin(-1).unflatten(1, (size, size))

    def look_up(self, codes: Tensor) -> Tensor:
        """Vectors (N, C, L, L) of codes (N, L, L)."""
        return to_grid(self.embedding(codes.flatten(1)), codes.shape[-1])

    def expect(self, logits: Tensor, *, top: int, temperature: float = 1.0) -> Tensor:
        """A soft look-up: for uncertain positions, a mean of codes has a smaller error than a single code.

        Args:
            logits: (N, T, K).
            top: How many of the most probable codes are averaged.
            temperature: Divides the logits; lower values prefer the most probable code.

        Returns:
            (N, C, L, L) vectors, averaged by probability.
        """
        values, codes = (logits.float() / temperature).topk(top, dim=-1)  # (N, T, top)
        weights = values.softmax(-1).to(self.embedding.weight.dtype)
        vectors = (weights.unsqueeze(-2) @ self.embedding(codes)).squeeze(-2)  # (N, T, C)
        return to_grid(vectors, int(vectors.shape[1] ** 0.5))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Straight-through quantised features, the codebook loss (a scalar) and the codes."""
        codes = self.nearest(features)
        vectors = self.look_up(codes).to(features.dtype)
        of_encoder = (vectors.detach() - features).square().mean()
        of_codebook = (vectors - features.detach()).square().mean()
        loss = of_encoder + CODEBOOK_SHARE * of_codebook
        return features + (vectors - features).detach(), loss, codes

    @torch.no_grad()
    def reset_codes(self, unused: Tensor, samples: Tensor) -> None:
        """Sets the `unused` codes, (K,) bool, to random features from `samples` (M, C)."""
        count = int(unused.sum())
        picks = torch.randint(samples.shape[0], (count,), device=samples.device)
        self.embedding.weight[unused] = samples[picks].to(self.embedding.weight.dtype)
