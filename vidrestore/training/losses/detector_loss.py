"""How differently a face detector sees a restored and a true face: a perceptual loss that knows faces.

LPIPS compares what a network trained on photographs sees (Zhang et al. 2018). Its backbone is a download; the
first layers of a detector trained on faces in the wild stand in for it: what they are to see is faces.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidrestore.detection.retinaface import load_retinaface
from vidrestore.errors import UsageError

_MEAN = (104.0, 117.0, 123.0)
"""Of the codes of blue, green and red, taken off before the detector sees a picture."""
_TAPS = (("stage1", (1, 3, 5)), ("stage2", (5,)))
"""Where the backbone is listened to: at a half, a quarter, an eighth and a sixteenth of the side."""


class DetectorLoss(nn.Module):
    """Faces (N, 3, S, S) RGB in [-1, 1], twice -> (N,) mean distance of what the detector sees, from 0 on."""

    def __init__(self, weights: Path | None) -> None:
        """`weights`: RetinaFace's, mobile0.25. Raises UsageError where there are none, WeightsError where
        they do not fit."""
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
        """Activations, each position of length one, as LPIPS compares them."""
        mean = faces.new_tensor(_MEAN)[:, None, None]
        x = (faces.flip(1) + 1) * 127.5 - mean
        seen = []
        for stage, taps in _TAPS:
            for i, layer in enumerate(self.body[stage]):
                x = layer(x)
                if i in taps:
                    # A position that nothing is seen at has no direction.
                    seen.append(F.normalize(x, dim=1, eps=1e-3))
        return seen
