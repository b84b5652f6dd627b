"""DAEFR written straight from the specification, plain, nothing shared with ours: what ours is measured by.

It works on a state dict with the authors' key names, in contiguous float32, one operation after the other.
It does what the authors' forward pass does and nobody uses: the degraded feature is quantised, its loss
taken, and code vectors come out of one-hot products. Where the fixtures of the authors' own network are at
hand it is held to them; everywhere else it holds our network to the same maths.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

State = dict[str, Tensor]


def restore(state: State, face: Tensor, *, groups: int, levels: int, blocks: int) -> dict[str, Tensor]:
    """Everything the fixtures hold of one forward pass on `face` (N, 3, S, S)."""
    z_lq = encode(state, "encoder", "quant_conv", face, groups=groups, levels=levels, blocks=blocks)
    z_hq = encode(state, "HQ_encoder", "HQ_quant_conv", face, groups=groups, levels=levels, blocks=blocks)
    table = state["vqvae.Fixed_quantize.embedding.weight"]
    nearest, loss = _quantise(table, z_lq)
    fused = _attention(state, "cross_attention", z_hq, groups, heads=8, other=z_lq)
    logits = _transformer(state, fused)
    codes = logits.softmax(-1).topk(1, dim=-1).indices.squeeze(-1)  # (N, T)
    quantised = _vectors(table, codes, fused)
    output = decode(state, quantised, groups=groups, levels=levels, blocks=blocks + 1)
    return {
        "z_lq": z_lq,
        "z_hq": z_hq,
        "nearest": nearest,
        "loss": loss,
        "fused": fused,
        "logits": logits,
        "codes": codes,
        "output": output,
    }


def encode(
    state: State, name: str, quant: str, x: Tensor, *, groups: int, levels: int, blocks: int
) -> Tensor:
    p = f"vqvae.{name}"
    h = _conv(state, f"{p}.conv_in", x)
    for i in range(levels):
        for j in range(blocks):
            h = _residual(state, f"{p}.down.{i}.block.{j}", h, groups)
            if f"{p}.down.{i}.attn.{j}.q.weight" in state:
                h = _attention(state, f"{p}.down.{i}.attn.{j}", h, groups)
        if i < levels - 1:
            key = f"{p}.down.{i}.downsample.conv"
            h = F.conv2d(F.pad(h, (0, 1, 0, 1)), state[f"{key}.weight"], state[f"{key}.bias"], stride=2)
    h = _middle(state, f"{p}.mid", h, groups)
    h = _conv(state, f"{p}.conv_out", _swish(_norm(state, f"{p}.norm_out", h, groups)))
    return _conv(state, f"vqvae.{quant}", h)


def decode(state: State, z: Tensor, *, groups: int, levels: int, blocks: int) -> Tensor:
    p = "vqvae.decoder"
    h = _conv(state, f"{p}.conv_in", _conv(state, "vqvae.post_quant_conv", z))
    h = _middle(state, f"{p}.mid", h, groups)
    for i in reversed(range(levels)):
        for j in range(blocks):
            h = _residual(state, f"{p}.up.{i}.block.{j}", h, groups)
            if f"{p}.up.{i}.attn.{j}.q.weight" in state:
                h = _attention(state, f"{p}.up.{i}.attn.{j}", h, groups)
        if i > 0:
            h = F.interpolate(h, scale_factor=2.0, mode="nearest")
            h = _conv(state, f"{p}.up.{i}.upsample.conv", h)
    return _conv(state, f"{p}.conv_out", _swish(_norm(state, f"{p}.norm_out", h, groups)))


def _quantise(table: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
    """The nearest codes (N, T) of a feature (N, C, L, L), and its codebook loss."""
    tokens = z.flatten(2).transpose(1, 2)  # (N, T, C)
    distance = tokens.square().sum(2, keepdim=True) + table.square().sum(1) - 2 * tokens @ table.t()
    nearest = distance.argmin(-1)
    vectors = _vectors(table, nearest, z)
    return nearest, (vectors - z).square().mean() + 0.25 * (vectors - z).square().mean()


def _vectors(table: Tensor, codes: Tensor, like: Tensor) -> Tensor:
    one_hot = F.one_hot(codes, table.shape[0]).float()
    return (one_hot @ table).transpose(1, 2).reshape(like.shape)


def _transformer(state: State, fused: Tensor) -> Tensor:
    tokens = fused.flatten(2).transpose(1, 2)  # (1, T, C)
    tokens = tokens @ state["feat_emb.weight"].t() + state["feat_emb.bias"]
    layer = 0
    while f"ft_layers.{layer}.norm1.weight" in state:
        p = f"ft_layers.{layer}"
        normed = _layer_norm(state, f"{p}.norm1", tokens)
        tokens = tokens + _multi_head(state, f"{p}.self_attn", normed + state["position_emb"], normed)
        h = _layer_norm(state, f"{p}.norm2", tokens)
        h = F.gelu(h @ state[f"{p}.linear1.weight"].t() + state[f"{p}.linear1.bias"])
        tokens = tokens + h @ state[f"{p}.linear2.weight"].t() + state[f"{p}.linear2.bias"]
        layer += 1
    return _layer_norm(state, "idx_pred_layer.0", tokens) @ state["idx_pred_layer.1.weight"].t()


def _multi_head(state: State, p: str, positioned: Tensor, tokens: Tensor, heads: int = 8) -> Tensor:
    width = tokens.shape[-1]
    weight, bias = state[f"{p}.in_proj_weight"], state[f"{p}.in_proj_bias"]
    q = positioned @ weight[:width].t() + bias[:width]
    k = positioned @ weight[width : 2 * width].t() + bias[width : 2 * width]
    v = tokens @ weight[2 * width :].t() + bias[2 * width :]
    answers = []
    for head in range(heads):
        part = slice(head * width // heads, (head + 1) * width // heads)
        scores = q[..., part] @ k[..., part].transpose(1, 2) / (width // heads) ** 0.5
        answers.append(scores.softmax(-1) @ v[..., part])
    joined = torch.cat(answers, -1)
    return joined @ state[f"{p}.out_proj.weight"].t() + state[f"{p}.out_proj.bias"]


def _attention(
    state: State, p: str, x: Tensor, groups: int, *, heads: int = 1, other: Tensor | None = None
) -> Tensor:
    normed = _norm(state, f"{p}.norm1", x, groups)
    asking = normed if other is None else _norm(state, f"{p}.norm2", other, groups)
    q, k, v = _conv(state, f"{p}.q", asking), _conv(state, f"{p}.k", normed), _conv(state, f"{p}.v", normed)
    n, channels, height, width = x.shape
    each = channels // heads
    answers = []
    for head in range(heads):
        part = slice(head * each, (head + 1) * each)
        scores = q[:, part].flatten(2).transpose(1, 2) @ k[:, part].flatten(2) * each**-0.5
        answers.append(v[:, part].flatten(2) @ scores.softmax(-1).transpose(1, 2))
    joined = torch.cat(answers, 1).reshape(n, channels, height, width)
    return x + _conv(state, f"{p}.proj_out", joined)


def _middle(state: State, p: str, h: Tensor, groups: int) -> Tensor:
    h = _residual(state, f"{p}.block_1", h, groups)
    h = _attention(state, f"{p}.attn_1", h, groups)
    return _residual(state, f"{p}.block_2", h, groups)


def _residual(state: State, p: str, x: Tensor, groups: int) -> Tensor:
    h = _conv(state, f"{p}.conv1", _swish(_norm(state, f"{p}.norm1", x, groups)))
    h = _conv(state, f"{p}.conv2", _swish(_norm(state, f"{p}.norm2", h, groups)))
    if f"{p}.nin_shortcut.weight" in state:
        x = _conv(state, f"{p}.nin_shortcut", x)
    return x + h


def _conv(state: State, p: str, x: Tensor) -> Tensor:
    weight = state[f"{p}.weight"]
    return F.conv2d(x, weight, state[f"{p}.bias"], padding=weight.shape[-1] // 2)


def _swish(x: Tensor) -> Tensor:
    return x * torch.sigmoid(x)


def _norm(state: State, p: str, x: Tensor, groups: int) -> Tensor:
    return F.group_norm(x, groups, state[f"{p}.weight"], state[f"{p}.bias"], eps=1e-6)


def _layer_norm(state: State, p: str, x: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], state[f"{p}.weight"], state[f"{p}.bias"])
