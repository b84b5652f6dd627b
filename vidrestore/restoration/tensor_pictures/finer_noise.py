"""How much of the finest detail is noise, on the device: `faces.finer_noise`, whose comments say why."""

from __future__ import annotations

import torch
from torch import Tensor

from vidrestore.faces.finer_noise import KEPT_UP_TO, NO_ENERGY, REPLACED_FROM, pixel_size, window
from vidrestore.restoration.tensor_pictures.filters import gaussian, mean_around
from vidrestore.restoration.tensor_pictures.luma import luma


def replaced_share(film: Tensor, clean: Tensor, scale: float) -> Tensor:
    """(S, S) in 0..1: the share of the frame's picture that its interpolated crop replaces.

    Args:
        film: (3, S, S) the face in its crop.
        clean: (3, S, S) the estimate of the same face without noise.
        scale: Factor from the frame's px to the crop's.
    """
    unit = pixel_size(scale)
    both = luma(torch.stack([film, clean]))
    fine, kept = both - gaussian(both[:, None], 4 * unit + 1, unit)[:, 0]
    details = torch.stack([fine, kept, fine - kept])
    energy, kept_energy, removed = mean_around(details.square()[:, None], window(unit))[:, 0]
    strength = (removed.clamp(min=0).sqrt() - KEPT_UP_TO) / (REPLACED_FROM - KEPT_UP_TO)
    share = (1 - kept_energy / (energy.clamp(min=0) + NO_ENERGY)).clamp(0, 1) * strength.clamp(0, 1)
    return share * (both[0] != both[1])
