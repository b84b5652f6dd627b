"""Computes descriptors of aligned faces, in batches."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from vidrestore.types import FloatArray
from vidrestore.weights import embedded_path


class FaceRecogniser(Protocol):
    """Computes descriptors, which differ between people."""

    def describe(self, faces: Sequence[FloatArray]) -> FloatArray:
        """(N, 128) descriptors of N FFHQ-aligned faces (S, S, 3) RGB in 0..1, of any sides."""


def make_recogniser(device: str = "auto", weights: Path | None = None) -> FaceRecogniser:
    """The recogniser on a device.

    Args:
        device: auto, cpu, cuda, cuda:N or mps.
        weights: The file of weights; None: the embedded ones.

    Raises:
        WeightsError: The weights are missing or do not fit.
        DeviceError: There is no such device.
        ProcessingError: The memory of the chosen device does not suffice.
    """
    from vidrestore.runtime.device_memory import place_networks

    path = weights or embedded_path("recognition.safetensors")
    return place_networks(
        device, lambda where: _NetworkRecogniser(path, str(where)), what="the network that compares faces"
    )


class LazyRecogniser:
    """A recogniser that is loaded when it is first used."""

    def __init__(self, device: str = "auto") -> None:
        """Does not load it; `device` is as for `make_recogniser`."""
        self._device = device
        self._recogniser: FaceRecogniser | None = None

    def describe(self, faces: Sequence[FloatArray]) -> FloatArray:
        """As `FaceRecogniser.describe`; raises WeightsError and DeviceError as `make_recogniser` does."""
        if self._recogniser is None:
            self._recogniser = make_recogniser(self._device)
        return self._recogniser.describe(faces)


class _NetworkRecogniser:
    def __init__(self, weights: Path, device: str) -> None:
        import torch

        from vidrestore.identity.checkpoint import load_recognition_network

        self._device = torch.device(device)
        network = load_recognition_network(weights).to(self._device)
        self._network = network.to(memory_format=torch.channels_last)

    def describe(self, faces: Sequence[FloatArray]) -> FloatArray:
        import torch

        from vidrestore.identity.chips import cut_chips

        if not faces:
            return np.zeros((0, 128), np.float32)
        with torch.inference_mode():
            chips = cut_chips(faces).to(self._device).contiguous(memory_format=torch.channels_last)
            return np.asarray(self._network(chips).float().cpu().numpy(), np.float32)
