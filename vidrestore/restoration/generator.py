"""Runs DAEFR on a device in three steps: faces to features, features to codes, codes to drawn faces."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from vidrestore.daefr import Daefr
from vidrestore.daefr.inference import optimize_for_inference
from vidrestore.restoration.compiled import compiled
from vidrestore.restoration.pinned_copies import from_device, to_device
from vidrestore.restoration.sharpness import relative_sharpness
from vidrestore.types import FloatArray

LookUp = Literal["hard", "soft"]
SOFT_TOP, SOFT_TEMPERATURE = 8, 0.08
"""The soft look-up: number of most probable codes, and temperature. A plain mean is too smooth,
a single code too coarse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceFeatures:
    """An encoded face, on the generator's device."""

    fused: Tensor
    """(C, L, L) float32: the features from which codes are predicted."""
    face: Tensor | None = None
    """(3, S, S) in [-1, 1], in the network's precision: the input, for the detail head; None without one."""
    sharpness: Tensor = field(default_factory=lambda: torch.ones(()))
    """`relative_sharpness` of the input, a float32 scalar. It stays on the device, because reading a number
    from a GPU waits for all its work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceCodes:
    """The predicted codes of a face, on the generator's device."""

    features: FaceFeatures
    log_probabilities: Tensor
    """(K, L, L) float32: log probabilities of the K codes at each position."""


class DaefrGenerator:
    """A DAEFR network on a device, which draws complete faces."""

    def __init__(
        self,
        network: Daefr,
        *,
        device: torch.device,
        precision: torch.dtype = torch.float32,
        look_up: LookUp = "hard",
        with_detail: bool = False,
        backend: str | None = None,
    ) -> None:
        """Moves a network to a device.

        Args:
            network: The network. Its weights are used, not copied.
            device: The device.
            precision: Number format of its convolutions.
            look_up: hard uses the most probable code at each position, as in the paper. soft uses the mean of
                the most probable codes, which has a smaller error where the transformer is uncertain.
            with_detail: Whether to use the network's detail head, if it has one. Without it the network is
                plain DAEFR.
            backend: Of `torch.compile`; None: the network is not compiled.
        """
        self.device = device
        self._precision = precision
        self._look_up = look_up
        self._with_detail = with_detail and network.detail_head is not None
        # Channels-last and 16-bit weights are three times as fast as float32 convolutions on a CPU. The
        # transformer stays in float32; see `predict`.
        self._network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        for part in (
            network.lq_encoder,
            network.lq_quant_conv,
            network.hq_encoder,
            network.hq_quant_conv,
            network.post_quant_conv,
            network.decoder,
            network.detail_head,
        ):
            if part is None:
                continue
            part.to(precision)
            optimize_for_inference(part, device, precision, network.config.image_size)
        optimize_for_inference(network.fusion, device, torch.float32, network.config.image_size)
        self._encode, self._predict, self._decode = (
            compiled(step, backend) for step in (self._encoded, self._predicted, self._decoded)
        )

    @property
    def size(self) -> int:
        return self._network.config.image_size

    @torch.inference_mode()
    def encode(self, faces: Sequence[FloatArray]) -> list[FaceFeatures]:
        """Features of faces (S, S, 3) RGB in 0..1, in one batch."""
        return self.encode_tensors(to_device(faces, self.device).permute(0, 3, 1, 2))

    @torch.inference_mode()
    def encode_tensors(self, faces: Tensor) -> list[FaceFeatures]:
        """Features of faces (N, 3, S, S) RGB in 0..1 on the device, channels-last, in one batch."""
        fused, sharpness, *given = self._encode(faces)
        return [
            FaceFeatures(fused=fused[i], face=given[0][i] if given else None, sharpness=sharpness[i])
            for i in range(len(faces))
        ]

    def _encoded(self, faces: Tensor) -> tuple[Tensor, ...]:
        """Fused features, sharpness, and the faces for the detail head, if it is used."""
        sharpness = relative_sharpness(faces.permute(0, 2, 3, 1))
        x = (faces * 2 - 1).to(self._precision)
        network = self._network
        lq = network.lq_quant_conv(network.lq_encoder(x)).float()
        z_hq = network.hq_quant_conv(network.hq_encoder(x)).float()
        return network.fusion(z_hq, lq), sharpness, *([x] if self._with_detail else [])

    @torch.inference_mode()
    def predict(self, features: Sequence[FaceFeatures]) -> list[FaceCodes]:
        """Codes of (possibly blended) features, in one batch."""
        (log_probabilities,) = self._predict(torch.stack([f.fused for f in features]))
        return [FaceCodes(features=f, log_probabilities=log_probabilities[i]) for i, f in enumerate(features)]

    def _predicted(self, fused: Tensor) -> tuple[Tensor, ...]:
        """(N, K, L, L) log probabilities; those of a position are together in memory."""
        predictor = self._network.code_predictor
        tokens = predictor.embed(fused)
        # Rounding of features or of logits changes codes; rounding between them changes hardly any.
        with nullcontext() if self._precision == torch.float32 else self._autocast():
            tokens = predictor.attend(tokens)
        logits = predictor.logits(tokens.float())  # (N, T, K)
        size = self._network.config.latent_size
        return (logits.log_softmax(-1).transpose(1, 2).unflatten(2, (size, size)),)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, self._precision)

    @torch.inference_mode()
    def decode(self, codes: Sequence[FaceCodes]) -> list[FloatArray]:
        """Faces (S, S, 3) RGB in 0..1 of (possibly blended) codes, in one batch."""
        return from_device(self.decode_tensors(codes).permute(0, 2, 3, 1))

    @torch.inference_mode()
    def decode_tensors(self, codes: Sequence[FaceCodes]) -> Tensor:
        """Faces (N, 3, S, S) RGB in 0..1 of (possibly blended) codes on the device, in one batch."""
        given = [c.features.face for c in codes if c.features.face is not None]
        (faces,) = self._decode(
            stack_channels_last([c.log_probabilities for c in codes]),
            *([stack_channels_last(given)] if given else []),
        )
        return faces

    def _decoded(self, log_probabilities: Tensor, *given: Tensor) -> tuple[Tensor, ...]:
        network = self._network
        logits = log_probabilities.flatten(2).transpose(1, 2)  # (N, T, K)
        if self._look_up == "hard":
            quantised = network.codebook.look_up(network.codes(logits))
        else:
            quantised = network.codebook.expect(logits, top=SOFT_TOP, temperature=SOFT_TEMPERATURE)
        restored = network.decode(quantised.to(self._precision), *given).float()
        return (((restored + 1) / 2).clamp(0, 1),)


def stack_channels_last(tensors: Sequence[Tensor]) -> Tensor:
    """N tensors (C, H, W) as one (N, C, H, W), in channels-last order."""
    return torch.stack([t.permute(1, 2, 0) for t in tensors]).permute(0, 3, 1, 2)
