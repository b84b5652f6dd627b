"""Sharpening of a face that is known to be too soft.

The mean of all faces that fit the footage is softer than any of them, by an amount that the evidence
network predicts. In the two finest bands, with q_k the missing energy over the energy shown, both over the
whole face,

    strength_k = LARGEST_k * q_k^6 / (q_k^6 + HALF_k^6)

times the operator below is added to the luma. A face whose bands are mostly shown stays as it is.

The operator is the gradient of the energy of Sobel's gradients, G'G. Among all changes of the same energy it
raises the energy of edges most, so it costs the least accuracy for a sharpness. Beside hard edges the result
would be brighter or darker than anything around, a halo; of that only a share is kept.

Letters in shapes: N faces, S x S pixels, K bands.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from vidrestore.evidence.pyramid import downsample, local_mean, upsample, without_leak

LARGEST = (2.4, 1.62)
"""Strength in each sharpened band, finest first, where next to nothing of the band is shown."""
HALF = (5.8, 3.4)
"""Missing over shown energy at which the strength is half of the largest."""
VISIBLE = 1 / 255
"""Changes of this root mean square are halved, weaker ones reduced more: in smooth skin they are noise."""
UNSURE = 1 / 255
"""Where the error has this root mean square the change is halved; where there is no error it is 0."""
WINDOW = 5
"""Pixels a side over which the strength of a change is measured."""
HALO_KEPT = 0.3
"""Share of a change that stays where it goes beyond the brightest or darkest pixel around."""
_AROUND = (1, 2, 4, 5)
"""Offsets whose maxima, one after the other, give the maximum of 13 pixels: 1 and the sum of these."""
_STEEPNESS = 6
_TINY = 1e-9


def sharpening(
    luma: Tensor,
    missing: Sequence[Tensor],
    shown: Sequence[Tensor],
    coarser_shares: Sequence[Tensor],
) -> Tensor:
    """(N, 1, S, S) what sharpens the luma of faces by as much as they are too soft.

    Args:
        luma: (N, 1, S, S) in 0..1.
        missing: mean square error of the estimate in each band to sharpen, (N, 1, S / 2**k, S / 2**k).
        shown: the estimate's own energy in these bands, of the same shapes.
        coarser_shares: 0..1, for each of these bands how much of the next coarser one may change, with half
            as many pixels a side.
    """
    sharpened = luma
    changes = []
    for largest, half, lacks, shows, share in zip(LARGEST, HALF, missing, shown, coarser_shares, strict=True):
        change = _strength(_face_mean(lacks), _face_mean(shows), largest, half) * edge_operator(sharpened)
        energy = local_mean(change.square(), WINDOW)
        change = change * energy / (energy + VISIBLE**2) * lacks / (lacks + UNSURE**2)
        changes.append(without_leak(change, share))
        sharpened = downsample(sharpened)
    total = changes.pop()
    while changes:
        total = changes.pop() + upsample(total)
    return without_halos(luma, total)


def without_halos(luma: Tensor, change: Tensor) -> Tensor:
    """The change of the luma, both (N, 1, h, w), of which `HALO_KEPT` stays beyond the extremes around."""
    sharpened = luma + change
    limited = torch.minimum(torch.maximum(sharpened, -_largest_around(-luma)), _largest_around(luma))
    return HALO_KEPT * change + (1 - HALO_KEPT) * (limited - luma)


def _strength(missing: Tensor, shown: Tensor, largest: float, half: float) -> Tensor:
    """(N, 1, 1, 1) 0..largest, for energies of a band of whole faces."""
    share = missing / (missing + half * shown + _TINY)  # of energies, so that no power of it overflows
    return largest * share**_STEEPNESS / (share**_STEEPNESS + (1 - share) ** _STEEPNESS)


def edge_operator(luma: Tensor) -> Tensor:
    """G'G of (N, 1, h, w), where G are Sobel's two gradients: minus a smoothed Laplacian.

    Beyond the edge, the last pixel is repeated.
    """
    x = F.pad(luma, (2,) * 4, mode="replicate")
    return _curvature(_smoothed(x, 2), 3) + _curvature(_smoothed(x, 3), 2)


def _largest_around(x: Tensor) -> Tensor:
    """The maximum of the 13 x 13 pixels around each of (N, 1, h, w)."""
    for dim, pad in ((3, (6, 6, 0, 0)), (2, (0, 0, 6, 6))):
        x = F.pad(x, pad, mode="replicate")
        for offset in _AROUND:  # faster than pooling, which looks at 13 pixels for each
            size = x.shape[dim] - offset
            x = torch.maximum(x.narrow(dim, 0, size), x.narrow(dim, offset, size))
    return x


def _curvature(x: Tensor, dim: int) -> Tensor:
    """Minus the second difference of pixels two apart, [-1 0 2 0 -1] / 4, along a dimension."""
    size = x.shape[dim] - 4
    return x.narrow(dim, 2, size) / 2 - (x.narrow(dim, 0, size) + x.narrow(dim, 4, size)) / 4


def _smoothed(x: Tensor, dim: int) -> Tensor:
    """[1 4 6 4 1] / 16 along a dimension."""
    size = x.shape[dim] - 4
    ends = x.narrow(dim, 0, size) + x.narrow(dim, 4, size)
    sides = x.narrow(dim, 1, size) + x.narrow(dim, 3, size)
    return (ends + 4 * sides + 6 * x.narrow(dim, 2, size)) / 16


def _face_mean(values: Tensor) -> Tensor:
    return values.mean((1, 2, 3), keepdim=True)
