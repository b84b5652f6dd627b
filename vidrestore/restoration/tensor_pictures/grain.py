"""Extracts the grain of a face on the device: `faces.grain`, whose comments say why."""

from __future__ import annotations

import torch
from torch import Tensor

from vidrestore.faces.grain import DEVIATION_OF_MEDIAN, FINEST_FEATURE, LARGEST
from vidrestore.restoration.tensor_pictures.filters import gaussian, mean_around
from vidrestore.restoration.tensor_pictures.luma import luma


def extract_grain(film: Tensor, clean: Tensor, mask: Tensor) -> Tensor:
    """The grain of a face, (3, S, S) around zero.

    Args:
        film: The aligned face (3, S, S).
        clean: The same face without grain.
        mask: (S, S) mask of the face, where the strength of grain is measured.
    """
    both = torch.stack([film, clean])
    sigma = FINEST_FEATURE * film.shape[-1]
    fine, lines = both - gaussian(both, 2 * round(2 * sigma) + 1, sigma)
    shown = (mask > 0.5)[::2, ::2]
    share = _share(luma(fine), luma(lines), _strength(fine, shown))
    grain = fine - lines * share
    limit = LARGEST * _strength(grain, shown)
    grain = torch.minimum(torch.maximum(grain, -limit), limit)
    there, kept = _around(torch.stack([film - clean, grain]).square().sum(1)).clamp(min=0)
    return grain * (there / (kept + 1e-12)).clamp(max=1).sqrt()


def _strength(fine: Tensor, shown: Tensor) -> Tensor:
    """Standard deviation from a median, a scalar on the device."""
    some = torch.where(shown, fine[:, ::2, ::2].abs(), torch.nan)
    return DEVIATION_OF_MEDIAN * some.flatten().nanquantile(0.5).nan_to_num(0)


def _share(fine: Tensor, lines: Tensor, strength: Tensor) -> Tensor:
    """(S, S) the share of lines in the fine detail around each pixel, 0..1."""
    both, own = _around(torch.stack([fine * lines, lines * lines]))
    return (both / (own.clamp(min=0) + (strength.square() / 10 + 1e-9))).clamp(0, 1)


def _around(values: Tensor) -> Tensor:
    """The mean of (N, S, S) around each pixel."""
    return mean_around(values[:, None], 2 * round(2 * FINEST_FEATURE * values.shape[-1]) + 1)[:, 0]
