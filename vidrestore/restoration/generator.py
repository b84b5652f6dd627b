"""DAEFR on a device: faces in, features and codes in between, drawn faces out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from vidrestore.daefr import Daefr
from vidrestore.daefr.inference import optimize_for_inference
from vidrestore.restoration.pinned_copies import from_device, to_device
from vidrestore.restoration.sharpness import relative_sharpness
from vidrestore.types import FloatArray

LookUp = Literal["hard", "soft"]
SOFT_TOP, SOFT_TEMPERATURE = 8, 0.08
"""Of the soft look-up: a plain mean of the likeliest codes is smooth, the single likeliest one coarse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceFeatures:
    """One encoded face, on the generator's device."""

    fused: Tensor
    """(C, L, L) float32: what the codes are predicted from."""
    levels: tuple[Tensor, ...] = ()
    """(C', S', S') each: finer features of the given face, for the network's skips; none without."""
    sharpness: Tensor = field(default_factory=lambda: torch.ones(()))
    """() float32, of the given face; see `relative_sharpness`. On the device, like all else: to ask a GPU
    for a number is to wait until it has done all its work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceCodes:
    """What the transformer makes of one face's features, on the generator's device."""

    features: FaceFeatures
    log_probabilities: Tensor
    """(K, L, L) float32: of each of the K codes at each position."""


class DaefrGenerator:
    """A DAEFR network on a device, in the precision that is fast there: draws complete faces."""

    def __init__(
        self,
        network: Daefr,
        *,
        device: torch.device,
        precision: torch.dtype = torch.float32,
        look_up: LookUp = "hard",
        with_detail: bool = False,
    ) -> None:
        """Place a network on a device.

        Args:
            network: its weights are used in place, not copied.
            device: where it is computed.
            precision: of its convolutions.
            look_up: hard takes the most probable code of each position, as published; soft the mean of the
                most probable ones, which is nearer to the truth while the transformer hesitates.
            with_detail: add the detail of the face that is given, by the network's skips if it has any;
                without, the network is plain DAEFR.
        """
        self.device = device
        self._precision = precision
        self._look_up = look_up
        self._level_sides = network.config.level_sides if with_detail else ()
        # Channels-last and 16-bit weights: three times the speed of plain float32 convolutions on a CPU. The
        # transformer's weights stay in float32; `predict` says why.
        self._network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        for part in (
            network.lq_encoder,
            network.lq_quant_conv,
            network.hq_encoder,
            network.hq_quant_conv,
            network.post_quant_conv,
            network.decoder,
            network.skips,
        ):
            part.to(precision)
            optimize_for_inference(part, device, precision, network.config.image_size)

    @property
    def size(self) -> int:
        return self._network.config.image_size

    @torch.inference_mode()
    def encode(self, faces: Sequence[FloatArray]) -> list[FaceFeatures]:
        """Features of faces (S, S, 3) RGB in 0..1, in one batch."""
        stacked = to_device(faces, self.device)  # (N, S, S, 3)
        sharpness = relative_sharpness(stacked)
        x = (stacked * 2 - 1).permute(0, 3, 1, 2).to(self._precision)
        network = self._network
        lq, levels = network.lq_encoder.with_levels(x, self._level_sides)
        z_hq = network.hq_quant_conv(network.hq_encoder(x)).float()
        fused = network.fusion(z_hq, network.lq_quant_conv(lq).float())
        return [
            FaceFeatures(
                fused=fused[i],
                levels=tuple(level[i] for level in levels),
                sharpness=sharpness[i],
            )
            for i in range(len(faces))
        ]

    @torch.inference_mode()
    def predict(self, features: Sequence[FaceFeatures]) -> list[FaceCodes]:
        """Codes of (possibly blended) features, in one batch."""
        predictor = self._network.code_predictor
        tokens = predictor.embed(torch.stack([f.fused for f in features]))
        # Rounded logits flip codes, and so do rounded features; between the two rounding flips next to none.
        with nullcontext() if self._precision == torch.float32 else self._autocast():
            tokens = predictor.attend(tokens)
        logits = predictor.logits(tokens.float())  # (N, T, K)
        size = self._network.config.latent_size
        log_probabilities = logits.log_softmax(-1).transpose(1, 2).unflatten(2, (size, size)).contiguous()
        return [FaceCodes(features=f, log_probabilities=log_probabilities[i]) for i, f in enumerate(features)]

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, self._precision)

    @torch.inference_mode()
    def decode(self, codes: Sequence[FaceCodes]) -> list[FloatArray]:
        """Faces (S, S, 3) RGB in 0..1 of (possibly blended) codes, in one batch."""
        network = self._network
        logits = torch.stack([c.log_probabilities for c in codes]).flatten(2).transpose(1, 2)  # (N, T, K)
        if self._look_up == "hard":
            quantised = network.codebook.look_up(network.codes(logits))
        else:
            quantised = network.codebook.expect(logits, top=SOFT_TOP, temperature=SOFT_TEMPERATURE)
        levels = [_stacked(level) for level in zip(*(c.features.levels for c in codes), strict=True)]
        restored = network.decode(quantised.to(self._precision), levels).float()
        return from_device(((restored + 1) / 2).clamp(0, 1).permute(0, 2, 3, 1))


def _stacked(features: Sequence[Tensor]) -> Tensor:
    """(N, C, H, W) of N (C, H, W), in channels-last order, as they are."""
    return torch.stack([f.permute(1, 2, 0) for f in features]).permute(0, 3, 1, 2)
