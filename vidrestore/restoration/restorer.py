"""DAEFR on a device: pictures in, features in between, pictures out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from vidrestore.daefr import Daefr, load
from vidrestore.device import resolve_device, resolve_precision
from vidrestore.types import FloatArray

LookUp = Literal["hard", "soft"]
SOFT_TOP = 8


class FaceRestorer(Protocol):
    """Restores aligned faces in two steps, so that time can be blended in between."""

    @property
    def size(self) -> int:
        """Side of the aligned faces in pixels."""
        ...

    def encode(self, faces: Sequence[FloatArray]) -> Tensor:
        """Features (N, C, L, L) float32 of N faces (S, S, 3) RGB in 0..1."""
        ...

    def decode(self, features: Tensor) -> list[FloatArray]:
        """N restored faces (S, S, 3) RGB in 0..1 of features (N, C, L, L)."""
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
    ) -> None:
        """`look_up`: hard takes the most probable code of each position, as published; soft the mean of
        the most probable ones, which lies nearer to the truth while the transformer hesitates."""
        self.device = device
        self._precision = precision
        self._look_up = look_up
        # Channels-last and 16-bit weights: three times the speed of plain float32 convolutions on a CPU. The
        # transformer stays in float32: rounding its logits would flip codes.
        self._network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        for part in (
            network.lq_encoder,
            network.lq_quant_conv,
            network.hq_encoder,
            network.hq_quant_conv,
            network.post_quant_conv,
            network.decoder,
        ):
            part.to(precision)

    @property
    def size(self) -> int:
        return self._network.config.image_size

    @torch.inference_mode()
    def encode(self, faces: Sequence[FloatArray]) -> Tensor:
        """Fused features (N, C, L, L) float32 on the device."""
        stacked = torch.from_numpy(np.stack(faces)).to(self.device)  # (N, S, S, 3)
        x = (stacked * 2 - 1).permute(0, 3, 1, 2).to(self._precision)
        network = self._network
        z_hq = network.hq_quant_conv(network.hq_encoder(x)).float()
        z_lq = network.lq_quant_conv(network.lq_encoder(x)).float()
        return network.fusion(z_hq, z_lq)

    @torch.inference_mode()
    def decode(self, features: Tensor) -> list[FloatArray]:
        """Restored faces of (possibly blended) fused features."""
        network = self._network
        logits = network.predict(features)
        if self._look_up == "hard":
            quantised = network.codebook.look_up(network.codes(logits))
        else:
            quantised = network.codebook.expect(logits, top=SOFT_TOP)
        restored = network.decode(quantised.to(self._precision)).float()
        pictures = ((restored + 1) / 2).clamp(0, 1).permute(0, 2, 3, 1)
        return list(pictures.contiguous().cpu().numpy())


def make_restorer(weights: Path, *, device: str = "auto", float32: bool = False) -> DaefrRestorer:
    """The restorer for weights at `weights`; raises WeightsError or DeviceError.

    `float32=True` forgoes the faster 16-bit arithmetic.
    """
    where = resolve_device(device)
    network = load(weights)
    return DaefrRestorer(
        network,
        device=where,
        precision=torch.float32 if float32 else resolve_precision(where),
        look_up="soft" if network.config.name == "compact" else "hard",
    )
