"""How much of the finest detail is noise, on the device: `faces.finer_noise`, whose comments say why."""

from __future__ import annotations

import torch
from torch import Tensor

from vidrestore.faces import finer_noise
from vidrestore.faces.finer_noise import (
    CLEAN_UP_TO,
    FEWEST,
    KEPT_UP_TO,
    NO_ENERGY,
    NO_NOISE,
    NOISY_FROM,
    REMOVED_FROM,
    VARIATION,
    WINDOW,
)
from vidrestore.restoration.tensor_pictures.filters import gaussian, mean_around
from vidrestore.restoration.tensor_pictures.luma import luma


def removed_share(film: Tensor, clean: Tensor, scale: float) -> Tensor:
    """(S, S) in 0..1: the share of the crop's finest detail that was removed as noise.

    Args:
        film: (3, S, S) the face in its crop.
        clean: (3, S, S) the estimate of the same face without noise.
        scale: Factor from the frame's px to the crop's.
    """
    unit = finer_noise.pixel_size(scale)
    both = luma(torch.stack([film, clean]))
    fine, kept = both - gaussian(both[:, None], 4 * unit + 1, unit)[:, 0]
    details = torch.stack([fine, kept, fine - kept])
    energy, kept_energy, removed = mean_around(details.square()[:, None], finer_noise.window(unit))[:, 0]
    strength = (removed.clamp(min=0).sqrt() - KEPT_UP_TO) / (REMOVED_FROM - KEPT_UP_TO)
    usual = strength[finer_noise.middle(len(strength))].flatten().quantile(0.5)
    factor = finer_noise.known_share(scale) * strength.clamp(0, 1) * usual.clamp(0, 1)
    share = factor * (1 - kept_energy / (energy.clamp(min=0) + NO_ENERGY)).clamp(0, 1)
    return share * (both[0] != both[1])


def noise_share(residual: Tensor, shown: Tensor) -> Tensor:
    """(h, w) in 0..1: the share of a plane's residual that is noise.

    Args:
        residual: (h, w) of the frame after the crop was warped back, as a fraction of the plane's range.
        shown: (h, w) where the face is.
    """
    energy = _mean_square(residual)
    some = shown[::2, ::2]
    noise = torch.where(some, energy[::2, ::2], torch.nan).flatten().nanquantile(0.5).nan_to_num(0)
    gate = ((noise.sqrt() - CLEAN_UP_TO) / (NOISY_FROM - CLEAN_UP_TO)).clamp(0, 1)
    return gate * (some.sum() >= FEWEST) * (VARIATION * noise / (energy + NO_NOISE)).clamp(max=1)


def _mean_square(residual: Tensor) -> Tensor:
    """(h, w) mean square around each pixel, mirrored at, but without, the last pixel."""
    reach = WINDOW // 2
    squares = residual.square()
    for axis in (0, 1):
        length = squares.shape[axis]
        steps = torch.arange(-reach, length + reach, device=squares.device)
        mirrored = _mirrored(steps, length)
        squares = squares.index_select(axis, mirrored).unfold(axis, WINDOW, 1).mean(-1)
    return squares


def _mirrored(steps: Tensor, length: int) -> Tensor:
    """Indices inside of 0..length - 1, as OpenCV's BORDER_REFLECT_101 has them."""
    if length == 1:
        return torch.zeros_like(steps)
    period = 2 * (length - 1)
    inside = steps.remainder(period)
    return torch.minimum(inside, period - inside)
