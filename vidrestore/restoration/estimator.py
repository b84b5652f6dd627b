"""Runs the evidence network on a device: aligned faces in, estimates out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from vidrestore.evidence import Evidence, TwoSizeEvidence
from vidrestore.evidence.pyramid import local_mean, mean_square
from vidrestore.restoration.compiled import compiled
from vidrestore.restoration.face_estimate import FaceEstimate
from vidrestore.restoration.fusion import possible_change
from vidrestore.restoration.pinned_copies import Download, download, to_device
from vidrestore.runtime.launching_thread import launch
from vidrestore.types import FloatArray

KEPT_UP_TO, CHANGED_FROM = 0.5 / 255, 1.5 / 255
"""Local RMS of a change: below the first value the input is kept, above the second one the change is full.
Half a code is invisible in 8 bits."""
CLEAN_UP_TO, DAMAGED_FROM = 1.5 / 255, 3 / 255
"""RMS of the change of a face: below the first value it is clean, above the second one damaged."""
LARGEST_CHANGE = 6 / 255
"""Largest change of a pixel in a clean face; a larger change at a hard edge is not damage."""
CERTAIN = 0.6 / 255
"""If the RMS of the missing detail is smaller, nothing is drawn."""
_WINDOW = 7


@dataclass(frozen=True, slots=True)
class PictureEvidence:
    """The output of `Estimator.evidence` for N pictures, on the device."""

    evidence: Evidence
    change: Tensor
    """(N,) mean square of the difference between the mean and the picture."""
    certain: Tensor
    """(N,) whether nothing needs to be drawn."""


class Estimator:
    """Runs evidence networks. The result for a face does not depend on other faces in the batch."""

    def __init__(
        self,
        networks: TwoSizeEvidence,
        *,
        device: torch.device,
        precision: torch.dtype,
        backend: str | None = None,
    ) -> None:
        """Moves networks to a device.

        Args:
            networks: The networks. Their weights are used, not copied.
            device: The device.
            precision: Number format of their convolutions.
            backend: Of `torch.compile`; None: the networks are not compiled.
        """
        self.device = device
        self._network = networks.to(device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        self._network.set_precision(precision)
        self._evidence = compiled(self._evidence_tensors, backend)

    def estimate(
        self,
        faces: Sequence[FloatArray],
        arithmetic: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> list[FaceEstimate]:
        """Estimates of faces RGB in 0..1.

        Args:
            faces: (S, S, 3) each; S is a multiple of 16 and may differ between faces.
            arithmetic: The context in which the network computes.
        """
        by_size: dict[int, list[int]] = defaultdict(list)
        for index, face in enumerate(faces):
            by_size[face.shape[0]].append(index)
        results: dict[int, FaceEstimate] = {}
        for indices in by_size.values():
            # On a CPU one at a time: kernels depend on the size of a batch, and they round differently.
            step = 1 if self.device.type == "cpu" else len(indices)
            for start in range(0, len(indices), step):
                part = indices[start : start + step]
                results |= zip(part, self._run([faces[i] for i in part], arithmetic), strict=True)
        return [results[index] for index in range(len(faces))]

    def _run(
        self, faces: list[FloatArray], arithmetic: Callable[[], AbstractContextManager[None]]
    ) -> list[FaceEstimate]:
        def start() -> list[Download]:
            with arithmetic():
                found = self.evidence(to_device(faces, self.device).permute(0, 3, 1, 2))
            pictures = [part.permute(0, 2, 3, 1) for part in (found.evidence.mean, found.evidence.scale)]
            return [download(part) for part in (*pictures, found.change, found.certain)]

        parts = (part.arrays() for part in launch(self.device, start))
        return [
            FaceEstimate(mean=mean, scale=scale, change=float(change), is_certain=bool(certain))
            for mean, scale, change, certain in zip(*parts, strict=True)
        ]

    @torch.inference_mode()
    def evidence(self, pictures: Tensor) -> PictureEvidence:
        """The evidence of pictures (N, 3, S, S) on the device, in one batch.

        The mean is clipped, and it is the picture itself where the network hardly changes it.
        """
        mean, scale, change, certain = self._evidence(pictures)
        return PictureEvidence(Evidence(mean, scale), change, certain)

    def _evidence_tensors(self, pictures: Tensor) -> tuple[Tensor, ...]:
        evidence = self._network(pictures)
        mean = keep_unchanged(pictures, evidence.mean).clamp(0, 1)
        change = mean_square(mean - pictures)
        certain = possible_change(Evidence(mean, evidence.scale), change) < CERTAIN
        return mean, evidence.scale, change, certain


def keep_unchanged(pictures: Tensor, mean: Tensor) -> Tensor:
    """The mean, but with the input's pixels where the change is invisible in 8 bits.

    In a clean face, no pixel changes by more than `LARGEST_CHANGE`.

    Args:
        pictures: The inputs, (N, 3, H, W) in 0..1.
        mean: The means of their estimates, of the same shape.
    """
    change = mean - pictures
    energy = change.square().mean(1, keepdim=True)
    local = local_mean(energy, _WINDOW).sqrt()
    change = ramp(local, KEPT_UP_TO, CHANGED_FROM) * change
    whole = change.square().mean((1, 2, 3), keepdim=True).sqrt()
    limit = LARGEST_CHANGE + ramp(whole, CLEAN_UP_TO, DAMAGED_FROM)
    return pictures + torch.minimum(torch.maximum(change, -limit), limit)


def ramp(values: Tensor, zero: float, one: float) -> Tensor:
    """0 below `zero`, 1 above `one`, and linear between them.

    Args:
        values: The values, of any shape.
        zero: The largest value that gives 0.
        one: The smallest value that gives 1.
    """
    return ((values - zero) / (one - zero)).clamp(0, 1)


def to_evidence(estimates: Sequence[FaceEstimate], device: torch.device) -> Evidence:
    """Estimates of the same size as one batch, for the fusion rule."""
    mean = to_device([e.mean for e in estimates], device).permute(0, 3, 1, 2)
    scale = to_device([e.scale for e in estimates], device).permute(0, 3, 1, 2)
    return Evidence(mean, scale)


def resized(picture: FloatArray, size: int) -> FloatArray:
    """A picture (S, S, 3), resized to `size` pixels; unchanged if it has that size."""
    if picture.shape[0] == size:
        return picture
    kernel = cv2.INTER_AREA if picture.shape[0] > size else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (size, size), interpolation=kernel), np.float32).clip(0, 1)
