"""DAEFR on a device: pictures in, features in between, pictures out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from vidrestore.alignment import eyes_to_mouth
from vidrestore.daefr import Daefr, load
from vidrestore.daefr.inference import hasten
from vidrestore.device import resolve_device, resolve_precision
from vidrestore.errors import UsageError
from vidrestore.memory import keep_memory
from vidrestore.restoration.copies import from_device, to_device
from vidrestore.types import FloatArray

LookUp = Literal["hard", "soft"]
SOFT_TOP, SOFT_TEMPERATURE = 8, 0.08
"""Of the soft look-up: a plain mean of the likeliest codes is smooth, the single likeliest one coarse."""
FINE_SIDE, COARSE_SIDE = 64, 16
"""Pixels a side at which detail is weighed: blur takes the fine one first, grain is gone from both."""
SOME_DETAIL, MUCH_DETAIL = 0.5, 0.75
"""Fidelity of a face that lost much, and of one that lost little. What is left of a person keeps another one
from taking the place: people held out, degraded by any recipe, are nearer to the truth so than at 0, by PSNR
and HaarPSI.
"""
SOME_FROM, SOME_AT = 0.2, 0.3
"""Sharpness up to which a face that lost much lost all, and from which it did not. Of faces shrunk and
blurred beyond recognition half lie below the first and three quarters below the second: detail, of which they
hold none, would only make them softer."""
GRAINY_FROM, GRAINY_AT, GRAINY_DETAIL = 0.4, 0.6, 0.25
"""Sharpness from which what such a face holds is rather grain, at which it is little else, and its fidelity
there."""
KEPT_FROM, KEPT_AT = 0.42, 0.52
"""Sharpness up to which a face that lost little is drawn again with its detail, and from which it is left as
it is, mended: it would be softer than it was drawn. Half of faces starved of bits lie below the first, and
nearly half of those mildly degraded above the last."""
LITTLE_FROM, LITTLE_AT = 0.27, 0.40
"""Sharpness from which a face lost little, for a network that has no verdict of its own on that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceFeatures:
    """One encoded face, on the restorer's device."""

    fused: Tensor
    """(C, L, L) float32: what the codes are predicted from."""
    levels: tuple[Tensor, ...] = ()
    """(C', S', S') each: finer features of the degraded face, for fidelity; none without."""
    sharpness: Tensor = field(default_factory=lambda: torch.ones(()))
    """() float32, of the degraded face; see `relative_sharpness`. On the device, like all else: to ask a GPU
    for a number is to wait until it has done all its work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceCodes:
    """What the transformer makes of one face's features, on the restorer's device."""

    features: FaceFeatures
    log_probabilities: Tensor
    """(K, L, L) float32: of each of the K codes at each position."""


class FaceRestorer(Protocol):
    """Restores aligned faces in three steps, so that time can be blended in between."""

    @property
    def size(self) -> int:
        """Side of the aligned faces in pixels."""
        ...

    def encode(self, faces: Sequence[FloatArray]) -> list[FaceFeatures]:
        """The features of faces (S, S, 3) RGB in 0..1, one each."""
        ...

    def predict(self, features: Sequence[FaceFeatures]) -> list[FaceCodes]:
        """The codes of (possibly blended) features."""
        ...

    def decode(self, codes: Sequence[FaceCodes]) -> list[FloatArray]:
        """The restored faces (S, S, 3) RGB in 0..1 of (possibly blended) codes."""
        ...


class DaefrRestorer:
    """A DAEFR network placed on a device in the precision that is fast there."""

    def __init__(
        self,
        network: Daefr,
        *,
        device: torch.device,
        precision: torch.dtype = torch.float32,
        look_up: LookUp = "hard",
        fidelity: float | None = 0.0,
    ) -> None:
        """`fidelity` 0..1: how much of the degraded face's own detail enters, beside what the codes say;
        None: for each face as much as it holds (`own_detail`).

        `look_up`: hard takes the most probable code of each position, as published; soft the mean of
        the most probable ones, which lies nearer to the truth while the transformer hesitates."""
        self.device = device
        self._precision = precision
        self._look_up = look_up
        self._fidelity = fidelity if network.config.level_sides else 0.0
        keep_memory()  # with a GPU, the pictures it hands back
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
            network.fidelity,
        ):
            part.to(precision)
            hasten(part, device, precision, network.config.image_size)
        if network.config.fidelity_picture:
            # So does the verdict of the last skip: its logarithms take more digits than 16 bits have.
            network.fidelity["picture"].verdict.float()

    @property
    def size(self) -> int:
        return self._network.config.image_size

    @property
    def can_be_faithful(self) -> bool:
        """Whether the network has the skips that fidelity above 0 needs."""
        return bool(self._network.config.level_sides)

    @torch.inference_mode()
    def encode(self, faces: Sequence[FloatArray]) -> list[FaceFeatures]:
        """Features of faces (S, S, 3) RGB in 0..1, in one batch."""
        stacked = to_device(faces, self.device)  # (N, S, S, 3)
        sharpness = relative_sharpness(stacked)
        x = (stacked * 2 - 1).permute(0, 3, 1, 2).to(self._precision)
        network = self._network
        sides = network.config.level_sides if self._fidelity != 0 else ()
        lq, levels = network.lq_encoder.with_levels(x, sides)
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
        """Restored faces (S, S, 3) RGB in 0..1 of (possibly blended) codes, in one batch."""
        network = self._network
        logits = torch.stack([c.log_probabilities for c in codes]).flatten(2).transpose(1, 2)  # (N, T, K)
        if self._look_up == "hard":
            quantised = network.codebook.look_up(network.codes(logits))
        else:
            quantised = network.codebook.expect(logits, top=SOFT_TOP, temperature=SOFT_TEMPERATURE)
        levels = [torch.stack(level) for level in zip(*(c.features.levels for c in codes), strict=True)]
        fidelity: float | Tensor = self._fidelity or 0.0
        may_stay = None
        if self._fidelity is None and levels:
            may_stay = network.may_stay(levels)
            sharpness = torch.stack([c.features.sharpness for c in codes])[:, None, None, None]
            fidelity = own_detail(sharpness, may_stay).to(self._precision)
        restored = network.decode(quantised.to(self._precision), levels, fidelity, may_stay).float()
        return from_device(((restored + 1) / 2).clamp(0, 1).permute(0, 2, 3, 1))


def relative_sharpness(faces: Tensor) -> Tensor:
    """(N,) fine detail of faces (N, S, S, 3) in 0..1 over their coarse detail; some 0.2 to 0.7 each.

    Whatever the contrast: both are `alignment.sharpness`, at 64 pixels and at 16, of all faces at a time.
    """
    fine = F.adaptive_avg_pool2d(faces.permute(0, 3, 1, 2), FINE_SIDE)
    return _sharpness(fine) / _sharpness(F.adaptive_avg_pool2d(fine, COARSE_SIDE)).clamp(min=1)


def _sharpness(pictures: Tensor) -> Tensor:
    """(N,) mean magnitude of the luma's Laplacian of pictures (N, 3, S, S), in 8-bit codes."""
    red, green, blue = pictures.unbind(1)
    x0, y0, x1, y1 = eyes_to_mouth(pictures.shape[-1])
    luma = (255 * (0.299 * red + 0.587 * green + 0.114 * blue))[:, y0 - 1 : y1 + 1, x0 - 1 : x1 + 1]
    beside = luma[:, 1:-1, :-2] + luma[:, 1:-1, 2:] + luma[:, :-2, 1:-1] + luma[:, 2:, 1:-1]
    return (beside - 4 * luma[:, 1:-1, 1:-1]).abs().mean((1, 2))


def own_detail(sharpness: Tensor, may_stay: Tensor | None = None) -> Tensor:
    """Fidelity 0..1, smoothly: how much of their own detail faces of that sharpness keep.

    `may_stay` 0..1: the network's verdict on how little they lost; None: it goes by sharpness alone.
    """
    if may_stay is None:
        may_stay = _ramp(sharpness, LITTLE_FROM, LITTLE_AT)
    lost_much = SOME_DETAIL * _ramp(sharpness, SOME_FROM, SOME_AT)
    lost_much = lost_much - (SOME_DETAIL - GRAINY_DETAIL) * _ramp(sharpness, GRAINY_FROM, GRAINY_AT)
    lost_little = MUCH_DETAIL + (1 - MUCH_DETAIL) * _ramp(sharpness, KEPT_FROM, KEPT_AT)
    return lost_much + may_stay * (lost_little - lost_much)


def _ramp(values: Tensor, start: float, end: float) -> Tensor:
    """0 up to `start`, 1 from `end` on, without a corner."""
    share = ((values - start) / (end - start)).clamp(0, 1)
    return share * share * (3 - 2 * share)


def make_restorer(
    weights: Path,
    *,
    device: str = "auto",
    fidelity: float | None = None,
    look_up: LookUp | None = None,
    float32: bool = False,
) -> DaefrRestorer:
    """The restorer for weights at `weights`.

    `fidelity` 0..1, None: for each face as much as it holds, where the network can, else 0. `look_up` None:
    soft for the compact network. `float32=True` forgoes the faster 16-bit arithmetic. Raises WeightsError,
    DeviceError, or UsageError for fidelity of a network without it.
    """
    where = resolve_device(device)
    network = load(weights)
    can = bool(network.config.level_sides)
    if fidelity and not can:
        raise UsageError(f"the model {network.config.name} has no --fidelity; leave it out or set it to 0")
    return DaefrRestorer(
        network,
        device=where,
        precision=torch.float32 if float32 else resolve_precision(where),
        look_up=look_up or ("soft" if network.config.name == "compact" else "hard"),
        fidelity=fidelity if can else 0.0,
    )
