"""A perceptual loss for faces: the distance of the features of a face detector.

LPIPS compares the features of a network for photographs (Zhang et al. 2018), which is a large download. Here
the first layers of a face detector replace it; they are trained on real faces.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidrestore.detection.retinaface import load_retinaface
from vidrestore.errors import UsageError

_MEAN = (104.0, 117.0, 123.0)
"""Means of blue, green and red in 0..255, which are subtracted before the detector."""
_TAPS = (("stage1", (1, 3, 5)), ("stage2", (5,)))
"""Layers whose features are compared, at 1/2, 1/4, 1/8 and 1/16 of the side."""


class DetectorLoss(nn.Module):
    """The mean distance (N,), at least 0, of the features of two batches (N, 3, S, S) RGB in [-1, 1]."""

    def __init__(self, weights: Path | None) -> None:
        """Loads the detector.

        Args:
            weights: The file of RetinaFace mobile0.25.

        Raises:
            UsageError: There is no such file.
            WeightsError: It does not fit.
        """
        super().__init__()
        if weights is None:
            raise UsageError("loss.detector needs loss.detector_weights: the path of RetinaFace mobile0.25")
        self.body = load_retinaface("retinaface_mobile0.25", weights).body.requires_grad_(False)

    def forward(self, restored: Tensor, truth: Tensor) -> Tensor:
        with torch.no_grad():
            wanted = self._features(truth)
        pairs = zip(self._features(restored), wanted, strict=True)
        return torch.stack([(a - b).abs().sum(1).mean((1, 2)) for a, b in pairs]).mean(0)

    def _features(self, faces: Tensor) -> list[Tensor]:
        """Features that are normalised to length 1 at each position, as in LPIPS."""
        mean = faces.new_tensor(_MEAN)[:, None, None]
        x = (faces.flip(1) + 1) * 127.5 - mean
        seen = []
        for stage, taps in _TAPS:
            for i, layer in enumerate(self.body[stage]):
                x = layer(x)
                if i in taps:
                    # Features that are all zero cannot be normalised.
                    seen.append(F.normalize(x, dim=1, eps=1e-3))
        return seen
