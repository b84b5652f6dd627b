"""The fusion rule: draw only what the footage does not show.

The evidence network estimates the clean face and, for each band of a Laplacian pyramid, the scale of its own
error. The generator draws a complete face. The result is the estimate plus as much of the drawn detail as the
estimate is known to lack, sharpened where the estimate is known to be too soft (`sharpening`).

In band k the part of the drawn detail that the estimate does not show already,

    new_k = drawn_k - shared_k * estimate_k,     shared_k the local regression of the one on the other,

enters with the gain

    g_k = missing_k * min(1, amount * sqrt(2) * scale_k / (rms(new_k) + epsilon)),

where sqrt(2) * scale_k is the root mean square of the estimate's error by its Laplace distribution (in coarse
bands times `ERROR_SHARES`), and missing_k is twice the missing share of the band's energy, at
most 1. In the finest band it is multiplied by that of the next one: single pixels beside detail that the
footage shows are no face, but noise. So no more energy enters than is missing, none where the scale is zero,
little where the footage shows most of a band, and none at a resolution that the footage shows. Colour is the
estimate's: the rule changes luma only.

What the rule adds is limited, so that it does not make a face worse than the footage. The network minimises
the error of its estimate, so that error is hardly correlated with the network's change of the footage. The
mean square of the change is then what the estimate gains in mean square error, and the mean square of what
the rule adds is what that costs, at most. The cost is limited to `COST_SHARE` of the gain.

Letters in shapes: N faces, S x S pixels, K bands.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from vidrestore.colour.matrices import BT601_LUMA
from vidrestore.evidence import Evidence, merge_bands, scales_of_bands, split_bands
from vidrestore.evidence.pyramid import local_mean, mean_square, without_leak
from vidrestore.restoration.sharpening import LARGEST, sharpening

EPSILON = 0.25 / 255
"""Added to the drawn detail's root mean square: a quarter of a code."""
WINDOW = 5
"""Pixels of a band a side over which energies and gains are averaged."""
AMOUNT = 1.0
"""Share of the missing detail that the rule draws."""
BAND_AMOUNTS = (0.15, 0.9, 1.0, 1.0, 1.0)
"""The same for each band, finest first. What generators draw at single pixels hardly correlates with what is
missing (0.08, against 0.2 to 0.4 in coarser bands), and shows as dots along lids and lashes."""
ERROR_SHARES = (1.0, 1.0, 0.9, 0.85, 0.8)
"""Factors on the predicted scales, for each band, finest first. The measured root mean square of the error
divided by sqrt(2) times its scale is 1.00, 0.86, 0.89, 0.82 and 0.70 for faces from strong codecs (medians of
24 people held out), and up to 0.1 less for old film: large errors are rarer than a Laplace distribution says.
The second band has more than that: with 0.9 faces from film were too soft, at 0.69 of the truth's edge energy
instead of 0.70, and nothing was gained but 0.01 to 0.02 dB."""
COST_SHARE = 0.41
"""Largest share of the estimate's gain over the footage that the rule may cost. The gain divided by the mean
square of the change, which should be 1, was 0.95 for faces from strong codecs, 0.93 for small ones, 0.98 for
old film, 0.92 for noise, 0.91 for tapes, and 1.13 for mild damage (24 people held out)."""


@dataclass(frozen=True, slots=True)
class Fused:
    """Faces after the rule."""

    faces: Tensor
    """(N, 3, S, S) RGB, clipped to 0..1."""
    drawn: Tensor
    """(N, 1, S, S) luma of the detail that the generator added."""
    drawn_share: Tensor
    """(N,) 0..1: the share of a face's detail that was drawn, by its energy between eyes and mouth."""


def fuse(
    evidence: Evidence,
    generated: Tensor,
    *,
    change: Tensor | None = None,
    amount: float = AMOUNT,
    band_amounts: Sequence[float] = BAND_AMOUNTS,
    sharpen: bool = True,
    drawn_side: int | None = None,
) -> Fused:
    """Complete the estimate where it is unsure: drawn detail is added, and what is too soft is sharpened.

    Args:
        evidence: of N faces; its mean is (N, 3, S, S).
        generated: (N, 3, S, S) in 0..1, the same faces as the generator draws them.
        change: (N,) mean square of the difference between the estimate and the footage, which limits what is
            added; None: no limit.
        amount: share of the missing detail that may be added; 0 gives the mean.
        band_amounts: the same for the drawn detail of each band, finest first.
        sharpen: whether the result is sharpened where the estimate is too soft.
        drawn_side: side at which the generator drew the faces [px], before they were enlarged to S; None: S.
    """
    if drawn_side is not None:
        band_amounts = _at_scale(band_amounts, evidence.mean.shape[-1] / drawn_side)
    luma = _luma(evidence.mean)
    estimate_bands = split_bands(luma)
    drawn_bands = split_bands(_luma(generated))
    scales = [
        share * scale for share, scale in zip(ERROR_SHARES, scales_of_bands(evidence.scale), strict=True)
    ]
    energies = [_mean_around(band.square()) for band in estimate_bands[:-1]]
    new = [
        _new_detail(drawn, shown, energy)
        for drawn, shown, energy in zip(drawn_bands[:-1], estimate_bands[:-1], energies, strict=True)
    ]
    # The low frequencies are no detail: there, what differs is what is new.
    new.append(drawn_bands[-1] - estimate_bands[-1])
    energies.append(energies[-1].new_zeros(()))
    shares = [_missing_share(scale, energy) for scale, energy in zip(scales, energies, strict=True)]
    shares[0] = shares[0] * _enlarge(shares[1], shares[0])
    gains = [
        part * share * _gain(band, scale, amount)
        for part, share, band, scale in zip(band_amounts, shares, new, scales, strict=True)
    ]
    entering = [gain * band for gain, band in zip(gains, new, strict=True)]
    for k, coarser in enumerate(gains[1:]):
        entering[k] = without_leak(entering[k], coarser)
    drawn = merge_bands(entering)
    drawn_energy = _detail_energy(split_bands(drawn))
    added = drawn
    if sharpen:
        count = len(LARGEST)
        missing = [2 * (amount * scale).square() for scale in scales[:count]]
        sharpened = luma + drawn - entering[0]  # drawn single pixels are too uncertain to become stronger
        added = drawn + sharpening(sharpened, missing, energies[:count], shares[1 : count + 1])
    if change is not None and math.isfinite(amount):
        part = _affordable_part(added, amount**2 * change)
        drawn_energy = part * drawn_energy
        factor = part.sqrt().view(-1, 1, 1, 1)
        added, drawn = factor * added, factor * drawn
    drawn_share = drawn_energy / (drawn_energy + _detail_energy(estimate_bands) + 1e-9)
    return Fused((evidence.mean + added).clamp(0, 1), drawn, drawn_share)


def _affordable_part(added: Tensor, gain: Tensor) -> Tensor:
    """(N,) 0..1: the share of the energy of what is added (N, 1, S, S) that costs no more than allowed."""
    return (COST_SHARE * gain / mean_square(added).clamp(min=1e-12)).clamp(max=1)


def _at_scale(band_amounts: Sequence[float], enlargement: float) -> list[float]:
    """The amounts for enlarged pictures: detail that was drawn at single pixels is in a coarser band then."""
    octaves = max(math.log2(enlargement), 0.0)
    known = range(-1, len(band_amounts))
    return [float(np.interp(k - octaves, known, (0.0, *band_amounts))) for k in range(len(band_amounts))]


def possible_change(evidence: Evidence, change: Tensor | None = None) -> Tensor:
    """(N,) the root mean square that the rule may add at most, whatever is drawn, in units of the mean.

    Args:
        evidence: of N faces.
        change: as in `fuse`.
    """
    energies = [2 * mean_square(scale) for scale in scales_of_bands(evidence.scale)]
    energy = torch.stack(energies).sum(0)
    return (energy if change is None else torch.minimum(energy, COST_SHARE * change)).sqrt()


def _new_detail(drawn: Tensor, shown: Tensor, energy: Tensor) -> Tensor:
    """What of a band of drawn detail (N, 1, h, w) the estimate's band, of that energy, does not show."""
    shared = _mean_around(drawn * shown) / (energy + EPSILON**2)
    return drawn - shared.clamp(0, 1) * shown


def _gain(band: Tensor, scale: Tensor, amount: float) -> Tensor:
    """(N, 1, h, w) 0..1: the share of a band of new detail that makes it no stronger than what is missing."""
    strength = _mean_around(band.square()).clamp(min=1e-12).sqrt()  # at 0 a root has no slope
    return (amount * math.sqrt(2) * scale / (strength + EPSILON)).clamp(max=1)


def _missing_share(scale: Tensor, shown: Tensor) -> Tensor:
    """(N, 1, h, w) 0..1: 1 where half of a band's energy or more is missing, `shown` being the estimate's."""
    missing = 2 * scale.square()
    return (2 * missing / (missing + shown + EPSILON**2)).clamp(max=1)


def _enlarge(share: Tensor, finer: Tensor) -> Tensor:
    """The share of a band (N, 1, h, w) at the size of the next finer one."""
    return interpolate(share, size=finer.shape[-2:], mode="bilinear", align_corners=False)


def _detail_energy(bands: Sequence[Tensor]) -> Tensor:
    """(N,) the energy of all bands but the last, finest first, between eyes and mouth."""
    size = bands[0].shape[-1]
    part = slice(round(0.36 * size), round(0.8 * size)), slice(round(0.28 * size), round(0.72 * size))
    return torch.stack([_energy(band, part, size) for band in bands[:-1]]).sum(0)


def _energy(band: Tensor, part: tuple[slice, slice], size: int) -> Tensor:
    """(N,) mean square inside a part that is given in pixels of the whole face."""
    step = size // band.shape[-1]
    rows, columns = (slice(s.start // step, s.stop // step) for s in part)
    return mean_square(band[..., rows, columns])


def _mean_around(values: Tensor) -> Tensor:
    return local_mean(values, WINDOW)


def _luma(pictures: Tensor) -> Tensor:
    # In channels-last order a sum over channels takes three times as long.
    red, green, blue = pictures.split(1, dim=1)
    of_red, of_green, of_blue = BT601_LUMA
    return (of_red * red).add(green, alpha=of_green).add(blue, alpha=of_blue)
