"""The transformer that predicts codebook entries (docs/daefr.md, "Code transformer")."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidrestore.daefr.blocks import to_tokens
from vidrestore.daefr.config import DaefrConfig


class SelfAttention(nn.Module):
    """Multi-head attention with positions in query and key, but not in the value.

    Parameter names and packing are those of `torch.nn.MultiheadAttention`, so that checkpoints fit.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.in_proj_weight)

    def forward(self, positioned: Tensor, tokens: Tensor) -> Tensor:
        width = tokens.shape[-1]
        query_key = F.linear(positioned, self.in_proj_weight[: 2 * width], self.in_proj_bias[: 2 * width])
        value = F.linear(tokens, self.in_proj_weight[2 * width :], self.in_proj_bias[2 * width :])
        query, key = query_key.chunk(2, dim=-1)
        attended = F.scaled_dot_product_attention(self._split(query), self._split(key), self._split(value))
        return self.out_proj(attended.transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (N, heads, T, width / heads)


class TransformerLayer(nn.Module):
    """Pre-norm: attention, then a two-layer perceptron, each with a residual."""

    def __init__(self, config: DaefrConfig) -> None:
        super().__init__()
        self.self_attn = SelfAttention(config.width, config.heads)
        self.linear1 = nn.Linear(config.width, config.feedforward)
        self.linear2 = nn.Linear(config.feedforward, config.width)
        self.norm1 = nn.LayerNorm(config.width)
        self.norm2 = nn.LayerNorm(config.width)

    def forward(self, tokens: Tensor, position: Tensor) -> Tensor:
        normed = self.norm1(tokens)
        tokens = tokens + self.self_attn(normed + position, normed)
        return tokens + self.linear2(F.gelu(self.linear1(self.norm2(tokens))))


class CodePredictor(nn.Module):
    """Fused features (N, embedding, L, L) -> code logits (N, T, codes), positions in row order."""

    def __init__(self, config: DaefrConfig) -> None:
        super().__init__()
        self.position_emb = nn.Parameter(0.02 * torch.randn(config.tokens, config.width))
        self.feat_emb = nn.Linear(config.embedding, config.width)
        self.ft_layers = nn.ModuleList(TransformerLayer(config) for _ in range(config.layers))
        self.idx_pred_layer = nn.Sequential(
            nn.LayerNorm(config.width), nn.Linear(config.width, config.codes, bias=False)
        )

    def forward(self, fused: Tensor) -> Tensor:
        return self.logits(self.attend(self.embed(fused)))

    def embed(self, fused: Tensor) -> Tensor:
        """Tokens (N, T, width) of fused features (N, embedding, L, L), positions in row order."""
        return self.feat_emb(to_tokens(fused))

    def attend(self, tokens: Tensor) -> Tensor:
        """The tokens after attention."""
        for layer in self.ft_layers:
            tokens = layer(tokens, self.position_emb)
        return tokens

    def logits(self, tokens: Tensor) -> Tensor:
        """Code logits (N, T, codes) from tokens after attention."""
        return self.idx_pred_layer(tokens)
