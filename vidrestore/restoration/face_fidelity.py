"""How much of its own detail a restored face keeps, by the sharpness of the degraded face."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from vidrestore.faces.alignment import eyes_to_mouth_box

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


def relative_sharpness(faces: Tensor) -> Tensor:
    """(N,) fine detail of faces (N, S, S, 3) in 0..1 over their coarse detail; some 0.2 to 0.7 each.

    Whatever the contrast: both are `alignment.sharpness`, at 64 pixels and at 16, of all faces at a time.
    """
    fine = F.adaptive_avg_pool2d(faces.permute(0, 3, 1, 2), FINE_SIDE)
    return _sharpness(fine) / _sharpness(F.adaptive_avg_pool2d(fine, COARSE_SIDE)).clamp(min=1)


def _sharpness(pictures: Tensor) -> Tensor:
    """(N,) mean magnitude of the luma's Laplacian of pictures (N, 3, S, S), in 8-bit codes."""
    red, green, blue = pictures.unbind(1)
    x0, y0, x1, y1 = eyes_to_mouth_box(pictures.shape[-1])
    luma = (255 * (0.299 * red + 0.587 * green + 0.114 * blue))[:, y0 - 1 : y1 + 1, x0 - 1 : x1 + 1]
    beside = luma[:, 1:-1, :-2] + luma[:, 1:-1, 2:] + luma[:, :-2, 1:-1] + luma[:, 2:, 1:-1]
    return (beside - 4 * luma[:, 1:-1, 1:-1]).abs().mean((1, 2))


def adaptive_fidelity(sharpness: Tensor, keep_weight: Tensor | None = None) -> Tensor:
    """Fidelity 0..1, smoothly: how much of their own detail faces of that sharpness keep.

    `keep_weight` 0..1: the network's verdict on how little they lost; None: it goes by sharpness alone.
    """
    if keep_weight is None:
        keep_weight = _ramp(sharpness, LITTLE_FROM, LITTLE_AT)
    lost_much = SOME_DETAIL * _ramp(sharpness, SOME_FROM, SOME_AT)
    lost_much = lost_much - (SOME_DETAIL - GRAINY_DETAIL) * _ramp(sharpness, GRAINY_FROM, GRAINY_AT)
    lost_little = MUCH_DETAIL + (1 - MUCH_DETAIL) * _ramp(sharpness, KEPT_FROM, KEPT_AT)
    return lost_much + keep_weight * (lost_little - lost_much)


def _ramp(values: Tensor, start: float, end: float) -> Tensor:
    """0 up to `start`, 1 from `end` on, without a corner."""
    share = ((values - start) / (end - start)).clamp(0, 1)
    return share * share * (3 - 2 * share)
