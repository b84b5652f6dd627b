"""The evidence network on a device: aligned faces in, estimates out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from vidrestore.evidence import Evidence, EvidenceNetwork
from vidrestore.evidence.pyramid import local_mean
from vidrestore.restoration.face_estimate import FaceEstimate
from vidrestore.restoration.fusion import possible_change
from vidrestore.restoration.pinned_copies import from_device, to_device
from vidrestore.types import FloatArray

HELD_UP_TO, CHANGED_FROM = 0.5 / 255, 1.5 / 255
"""Local root mean square of a change up to which the input is kept, and from which it is taken in full: half
a code is below what 8 bits can show."""
CLEAN_UP_TO, DAMAGED_FROM = 1.5 / 255, 3 / 255
"""Root mean square of a face's change up to which the face counts as clean, and from which as damaged."""
LARGEST_CHANGE = 6 / 255
"""Largest change of a pixel of a clean face: what differs by more at a hard edge is no damage."""
CERTAIN = 0.6 / 255
"""Root mean square of all that could be drawn up to which nothing needs to be."""
_WINDOW = 7


class Estimator:
    """Runs an evidence network; a face's result does not depend on the others of its batch."""

    def __init__(self, network: EvidenceNetwork, *, device: torch.device, precision: torch.dtype) -> None:
        self._device = device
        self._network = network.to(device, memory_format=torch.channels_last).to(precision).eval()  # type: ignore[call-overload]

    @torch.inference_mode()
    def estimate(self, faces: Sequence[FloatArray]) -> list[FaceEstimate]:
        """Estimates of faces (S, S, 3) RGB in 0..1; S is a multiple of 16 and may differ between faces."""
        by_size: dict[int, list[int]] = defaultdict(list)
        for index, face in enumerate(faces):
            by_size[face.shape[0]].append(index)
        results: dict[int, FaceEstimate] = {}
        for indices in by_size.values():
            # On a CPU one at a time: kernels are chosen by the size of a batch, and each rounds differently.
            step = 1 if self._device.type == "cpu" else len(indices)
            for start in range(0, len(indices), step):
                part = indices[start : start + step]
                results |= zip(part, self._run([faces[i] for i in part]), strict=True)
        return [results[index] for index in range(len(faces))]

    def _run(self, faces: list[FloatArray]) -> list[FaceEstimate]:
        x = to_device(faces, self._device).permute(0, 3, 1, 2)
        evidence = self._network(x)
        mean = keep_unchanged(x, evidence.mean).clamp(0, 1)
        certain = (possible_change(Evidence(mean, evidence.scale)) < CERTAIN).tolist()
        means = from_device(mean.permute(0, 2, 3, 1))
        scales = from_device(evidence.scale.permute(0, 2, 3, 1))
        return [
            FaceEstimate(mean=m, scale=s, is_certain=bool(c))
            for m, s, c in zip(means, scales, certain, strict=True)
        ]


def keep_unchanged(pictures: Tensor, mean: Tensor) -> Tensor:
    """The mean, held to the pictures (N, 3, H, W) wherever it differs by less than 8 bits can show.

    In a face that hardly changes, no pixel changes by more than `LARGEST_CHANGE`.
    """
    change = mean - pictures
    energy = change.square().mean(1, keepdim=True)
    local = local_mean(energy, _WINDOW).sqrt()
    change = ramp(local, HELD_UP_TO, CHANGED_FROM) * change
    whole = change.square().mean((1, 2, 3), keepdim=True).sqrt()
    limit = LARGEST_CHANGE + ramp(whole, CLEAN_UP_TO, DAMAGED_FROM)
    return pictures + torch.minimum(torch.maximum(change, -limit), limit)


def ramp(values: Tensor, zero: float, one: float) -> Tensor:
    """0 up to `zero`, 1 from `one` on, a straight line in between."""
    return ((values - zero) / (one - zero)).clamp(0, 1)


def to_evidence(estimates: Sequence[FaceEstimate], device: torch.device) -> Evidence:
    """Estimates of one size as the rule takes them."""
    mean = to_device([e.mean for e in estimates], device).permute(0, 3, 1, 2)
    scale = to_device([e.scale for e in estimates], device).permute(0, 3, 1, 2)
    return Evidence(mean, scale)


def resized(picture: FloatArray, size: int) -> FloatArray:
    """A picture (S, S, 3) at `size` pixels a side; itself where it has that size."""
    if picture.shape[0] == size:
        return picture
    kernel = cv2.INTER_AREA if picture.shape[0] > size else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (size, size), interpolation=kernel), np.float32).clip(0, 1)
