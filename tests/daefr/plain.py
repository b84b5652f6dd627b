"""The reference network written straight from the specification: slow, plain, nothing shared with ours.

It works on a state dict with the authors' key names, float32. Where the fixtures of the authors' own network
are at hand it is held to them; everywhere else it holds our network to the same maths.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

State = dict[str, Tensor]


def restore(state: State, face: Tensor, *, groups: int, levels: int, blocks: int) -> dict[str, Tensor]:
    """Everything the fixtures hold of one forward pass on `face` (1, 3, S, S)."""
    z_lq = encode(state, "encoder", "quant_conv", face, groups=groups, levels=levels, blocks=blocks)
    z_hq = encode(state, "HQ_encoder", "HQ_quant_conv", face, groups=groups, levels=levels, blocks=blocks)
    fused = _attention(state, "cross_attention", z_hq, groups, heads=8, other=z_lq)
    logits = _transformer(state, fused)
    codes = logits.softmax(-1).argmax(-1)  # (1, T)
    table = state["vqvae.Fixed_quantize.embedding.weight"]
    one_hot = F.one_hot(codes, table.shape[0]).float()
    quantised = (one_hot @ table).transpose(1, 2).reshape(fused.shape)
    output = decode(state, quantised, groups=groups, levels=levels, blocks=blocks + 1)
    return {"z_lq": z_lq, "z_hq": z_hq, "fused": fused, "logits": logits, "codes": codes, "output": output}


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
            padded = torch.cat([h, torch.zeros_like(h[:, :, :1])], 2)
            padded = torch.cat([padded, torch.zeros_like(padded[:, :, :, :1])], 3)
            h = F.conv2d(padded, state[f"{key}.weight"], state[f"{key}.bias"], stride=2)
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
            h = h.repeat_interleave(2, 2).repeat_interleave(2, 3)
            h = _conv(state, f"{p}.up.{i}.upsample.conv", h)
    return _conv(state, f"{p}.conv_out", _swish(_norm(state, f"{p}.norm_out", h, groups)))


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
    n, channels, height, width = x.shape
    grouped = x.reshape(n, groups, -1)
    mean, variance = grouped.mean(-1, keepdim=True), grouped.var(-1, keepdim=True, unbiased=False)
    normed = ((grouped - mean) / (variance + 1e-6).sqrt()).reshape(n, channels, height, width)
    return normed * state[f"{p}.weight"][:, None, None] + state[f"{p}.bias"][:, None, None]


def _layer_norm(state: State, p: str, x: Tensor) -> Tensor:
    mean, variance = x.mean(-1, keepdim=True), x.var(-1, keepdim=True, unbiased=False)
    return (x - mean) / (variance + 1e-5).sqrt() * state[f"{p}.weight"] + state[f"{p}.bias"]
