"""The fusion rule: draw only what the footage does not show.

The evidence network estimates the clean face and, for each band of a Laplacian pyramid, the scale of its own
error. The generator draws a complete face. The result is the estimate, its own fine detail raised towards the
strength that the face must have had, plus as much of the drawn detail as the estimate is known to lack.

An estimate that is unsure is too soft: the mean of all faces that fit the footage has less detail than any of
them. In the two finest bands, detail of local energy E_k becomes stronger by the share

    raise_k = missing_k * E_k / (E_k + visible^2) * (sqrt((E_k + 2 scale_k^2) / E_k) - 1).

The last factor gives the band the energy of the estimate and of its error together. The second leaves alone
what can hardly be seen: in smooth skin that is rests of noise. The first (below) leaves alone a band that the
footage shows. This strengthens detail that the footage hints at, in its place, where a generator would add
detail of its own. No pixel becomes darker or brighter by it than the estimate is within two pixels, so edges
get no halos.

In band k the part of the drawn detail that the estimate does not show already,

    new_k = drawn_k - shared_k * estimate_k,     shared_k the local regression of the one on the other,

enters with the gain

    g_k = missing_k * min(1, amount * sqrt(2) * scale_k / (rms(new_k) + epsilon)),

where sqrt(2) * scale_k is the root mean square of the estimate's error by its Laplace distribution, and
missing_k is twice the missing share of the band's energy, at most 1. In the finest band it is multiplied by
that of the next one: single pixels beside detail that the footage shows are no face, but noise. So no more
energy enters than is missing, none where the scale is zero, little where the footage shows most of a band,
and none at a resolution that the footage shows. Colour is the estimate's: raised and drawn detail are luma.

Letters in shapes: N faces, S x S pixels, K bands.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from vidrestore.colour.matrices import BT601_LUMA
from vidrestore.evidence import Evidence, merge_bands, scales_of_bands, split_bands
from vidrestore.evidence.pyramid import downsample, local_mean, upsample

EPSILON = 0.25 / 255
"""Added to the drawn detail's root mean square: a quarter of a code."""
WINDOW = 5
"""Pixels of a band a side over which energies and gains are averaged."""
AMOUNT = 1.0
"""Share of the missing detail that the rule draws."""
BAND_AMOUNTS = (0.15, 0.9, 1.0, 1.0, 1.0)
"""The same for each band, finest first. What generators draw at single pixels hardly correlates with what is
missing (0.08, against 0.2 to 0.4 in coarser bands), and shows as dots along lids and lashes."""
RAISED = (1.0, 1.0, 0.0, 0.0)
"""Share of the missing strength by which the estimate's own detail is raised in each band, finest first."""
VISIBLE = 4 / 255
"""Detail of this root mean square is raised by half of what is missing, weaker detail by less."""
HALO_WINDOW = 5
"""Pixels a side within which the estimate has to be as dark and as bright as raised detail makes it."""
_LEAK_STEPS = 3


@dataclass(frozen=True, slots=True)
class Fused:
    """Faces after the rule."""

    faces: Tensor
    """(N, 3, S, S) RGB, clipped to 0..1."""
    drawn: Tensor
    """(N, 1, S, S) luma of the detail that the generator added."""


def fuse(
    evidence: Evidence,
    generated: Tensor,
    *,
    amount: float = AMOUNT,
    band_amounts: Sequence[float] = BAND_AMOUNTS,
    raised: Sequence[float] = RAISED,
) -> Fused:
    """Complete the estimate where it is unsure: its own detail is raised, and drawn detail is added.

    Args:
        evidence: of N faces; its mean is (N, 3, S, S).
        generated: (N, 3, S, S) in 0..1, the same faces as the generator draws them.
        amount: share of the missing detail that may be added; 0 gives the mean.
        band_amounts: the same for the drawn detail of each band, finest first.
        raised: the same for the estimate's own detail.
    """
    luma = _luma(evidence.mean)
    estimate_bands = split_bands(luma)
    drawn_bands = split_bands(_luma(generated))
    scales = scales_of_bands(evidence.scale)
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
        entering[k] = _without_leak(entering[k], coarser)
    drawn = merge_bands(entering)
    strengths = [
        part * share * _raise(scale, energy, amount)
        for part, share, scale, energy in zip(raised, shares[:-1], scales[:-1], energies[:-1], strict=True)
    ]
    added = drawn + _raised_detail(estimate_bands, strengths, gains, luma)
    return Fused((evidence.mean + added).clamp(0, 1), drawn)


def possible_change(evidence: Evidence) -> Tensor:
    """(N,) the root mean square that the rule may add at most, whatever is drawn, in units of the mean."""
    energies = [2 * scale.square().mean((1, 2, 3)) for scale in scales_of_bands(evidence.scale)]
    return torch.stack(energies).sum(0).sqrt()


def drawn_share(mean: Tensor, fused: Fused) -> Tensor:
    """(N,) 0..1: the share of a face's detail that was drawn, by its energy between eyes and mouth.

    Args:
        mean: (N, 3, S, S), the estimate that was completed.
        fused: what `fuse` made of it.
    """
    size = mean.shape[-1]
    part = slice(round(0.36 * size), round(0.8 * size)), slice(round(0.28 * size), round(0.72 * size))
    shown, drawn = (
        torch.stack([_energy(band, part, size) for band in split_bands(picture)[:-1]]).sum(0)
        for picture in (_luma(mean), fused.drawn)
    )
    return drawn / (drawn + shown + 1e-9)


def _new_detail(drawn: Tensor, shown: Tensor, energy: Tensor) -> Tensor:
    """What of a band of drawn detail (N, 1, h, w) the estimate's band, of that energy, does not show."""
    shared = _mean_around(drawn * shown) / (energy + EPSILON**2)
    return drawn - shared.clamp(0, 1) * shown


def _raise(scale: Tensor, shown: Tensor, amount: float) -> Tensor:
    """(N, 1, h, w) how much stronger a band of energy `shown` becomes, as a share of itself."""
    missing = 2 * (amount * scale).square()
    stronger = ((shown + missing) / (shown + EPSILON**2)).sqrt().clamp(min=1) - 1
    return stronger * shown / (shown + VISIBLE**2)


def _raised_detail(
    bands: Sequence[Tensor], strengths: Sequence[Tensor], gains: Sequence[Tensor], luma: Tensor
) -> Tensor:
    """(N, 1, S, S) what makes an estimate's bands stronger by these shares, with no leak and no halos.

    Args:
        bands: of the estimate's luma, with the low frequencies.
        strengths: (N, 1, h, w) of each band but the low frequencies.
        gains: of the drawn detail, as long as `bands`: where nothing may be drawn, nothing leaks either.
        luma: (N, 1, S, S) of the estimate.
    """
    own = [
        _without_leak(strength * band, coarser_gain, steps=1)
        for strength, band, coarser_gain in zip(strengths, bands[:-1], gains[1:], strict=True)
    ]
    return _without_halos(merge_bands([*own, torch.zeros_like(bands[-1])]), luma)


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


def _without_leak(band: Tensor, coarser_gain: Tensor, steps: int = _LEAK_STEPS) -> Tensor:
    """A band (N, 1, h, w) without what it puts into the next coarser band, where that may not be drawn.

    A gain that varies, and a generator's band itself, are not zero at coarser resolutions.
    """
    for _ in range(steps):
        if min(band.shape[-2:]) > 2:
            band = band - upsample((1 - coarser_gain) * downsample(band))
    return band


def _without_halos(change: Tensor, luma: Tensor) -> Tensor:
    """A change of the luma (N, 1, S, S) that makes no pixel darker or brighter than those around it."""
    return change.clamp(_around(luma, torch.minimum) - luma, _around(luma, torch.maximum) - luma)


def _around(values: Tensor, choose: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """The minimum or maximum (`choose`) of (N, 1, h, w) values in the window around each pixel."""
    reach = HALO_WINDOW // 2
    for dim in (2, 3):
        size = values.shape[dim]
        first, last = values.narrow(dim, 0, 1), values.narrow(dim, size - 1, 1)
        padded = torch.cat([first] * reach + [values] + [last] * reach, dim)
        values = reduce(choose, (padded.narrow(dim, i, size) for i in range(HALO_WINDOW)))
    return values


def _energy(band: Tensor, part: tuple[slice, slice], size: int) -> Tensor:
    """(N,) mean square inside a part that is given in pixels of the whole face."""
    step = size // band.shape[-1]
    rows, columns = (slice(s.start // step, s.stop // step) for s in part)
    return band[..., rows, columns].square().mean((1, 2, 3))


def _mean_around(values: Tensor) -> Tensor:
    return local_mean(values, WINDOW)


def _luma(pictures: Tensor) -> Tensor:
    weights = pictures.new_tensor(BT601_LUMA)[:, None, None]
    return (pictures * weights).sum(1, keepdim=True)
