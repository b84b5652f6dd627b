"""Faces that are known to be too soft become sharper; what the footage shows stays."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.support.fusion_faces import CODE, SIZE, evidence_of, rms, scales, seeds, texture, textures
from vidrestore.evidence.pyramid import downsample, split_bands
from vidrestore.restoration.fusion import fuse, possible_change
from vidrestore.restoration.sharpening import HALO_KEPT, edge_operator, sharpening, without_halos

SOBEL = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8


def picture(seed: int = 0) -> Tensor:
    """(1, 1, SIZE, SIZE) in 0..1, detail at every scale."""
    generator = torch.Generator().manual_seed(seed)
    sides = [SIZE // 2**k for k in range(5)]
    layers = [torch.rand(1, 1, side, side, generator=generator) for side in sides]
    return torch.stack([F.interpolate(x, size=SIZE, mode="bilinear") for x in layers]).mean(0)


def sharpened_by(luma: Tensor, ratios: tuple[float, float], shares: tuple[float, float] = (1, 1)) -> Tensor:
    """The change for a face in which so much more is missing than shown in the two finest bands."""
    bands = split_bands(luma)[:2]
    shown = [band.square().mean() * torch.ones_like(band) for band in bands]
    missing = [ratio * energy for ratio, energy in zip(ratios, shown, strict=True)]
    coarser = [torch.full_like(downsample(band), share) for band, share in zip(bands, shares, strict=True)]
    return sharpening(luma, missing, shown, coarser)


def edge_energy(luma: Tensor) -> Tensor:
    """The sum of squared Sobel gradients."""
    x = F.pad(luma, (1,) * 4, mode="replicate")
    across, down = (F.conv2d(x, kernel[None, None]) for kernel in (SOBEL, SOBEL.T))
    return across.square().sum() + down.square().sum()


def test_the_operator_is_the_gradient_of_the_edge_energy() -> None:
    luma = picture().double().requires_grad_()
    (gradient,) = torch.autograd.grad(edge_energy(luma.float()) / 2, luma)
    inside = slice(4, -4)
    ours = edge_operator(luma.detach().float())
    torch.testing.assert_close(
        ours[..., inside, inside], gradient[..., inside, inside].float(), atol=1e-6, rtol=1e-4
    )


def test_a_straight_ramp_has_nothing_to_sharpen() -> None:
    ramp = torch.linspace(0, 1, SIZE).expand(1, 1, SIZE, SIZE)
    assert edge_operator(ramp)[..., 2:-2].abs().max() < 1e-6


def test_a_face_of_which_most_is_missing_becomes_sharper_by_less_than_is_missing() -> None:
    luma = picture(1)
    sharper = luma + sharpened_by(luma, (10, 4))
    assert 1.2 < edge_energy(sharper) / edge_energy(luma) < 1 + 4


@pytest.mark.parametrize("ratio", [0.0, 0.02, 0.1])
def test_a_face_of_which_most_is_shown_stays(ratio: float) -> None:
    change = sharpened_by(picture(2), (ratio, ratio))
    assert change.abs().max() < 0.5 * CODE
    if ratio == 0:
        assert not change.any()


@pytest.mark.parametrize("amount", [1.0, 99.0, 1e4])
def test_any_amount_gives_finite_faces(amount: float) -> None:
    for shown in ("flat", "octaves"):
        faces = fuse(evidence_of(texture(shown, 6), 1.0), texture("white", 7), amount=amount).faces
        assert faces.isfinite().all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.floats(0, 20), st.floats(0, 1))
def test_the_less_is_missing_the_less_is_sharpened(seed: int, ratio: float, share: float) -> None:
    luma = picture(seed)
    less, more = (rms(sharpened_by(luma, (r, r))) for r in (share * ratio, ratio))
    assert less <= 1.001 * more + 1e-9


def test_a_sure_part_of_an_unsure_face_stays() -> None:
    luma = picture(3)
    bands = split_bands(luma)[:2]
    shown = [band.square().mean() * torch.ones_like(band) for band in bands]
    missing = [20 * energy for energy in shown]
    for lacks in missing:
        lacks[..., : lacks.shape[-1] // 2] = 0
    coarser = [torch.ones_like(downsample(band)) for band in bands]
    change = sharpening(luma, missing, shown, coarser)
    assert rms(change[..., : SIZE // 2 - 8]) == 0
    assert rms(change[..., SIZE // 2 + 8 :]) > CODE


def test_what_a_coarser_band_shows_stays() -> None:
    luma = picture(4)
    kept, free = (sharpened_by(luma, (10, 0), shares) for shares in ((0, 0), (1, 1)))
    assert rms(kept) > CODE
    assert rms(downsample(kept)) < 0.5 * rms(downsample(free))


def test_a_flat_face_and_faint_noise_are_not_sharpened() -> None:
    flat = torch.full((1, 1, SIZE, SIZE), 0.4)
    assert not sharpened_by(flat, (10, 10)).any()
    noise = flat + 0.5 * CODE * torch.randn(1, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(5))
    assert rms(sharpened_by(noise, (100, 100))) < 0.25 * CODE


@settings(max_examples=40, deadline=None)
@given(textures, seeds, scales, st.floats(0, 2))
def test_sharpening_adds_no_more_energy_than_is_missing(
    shown: str, seed: int, scale: float, amount: float
) -> None:
    mean = 0.3 + 0.4 * texture(shown, seed)
    evidence = evidence_of(mean, scale)
    sharp, plain = (fuse(evidence, mean, amount=amount, sharpen=on).faces for on in (True, False))
    assert rms(sharp - plain) <= amount * possible_change(evidence).item() + 1e-6


@settings(max_examples=40, deadline=None)
@given(textures, seeds, scales, st.floats(0, 1))
def test_the_surer_the_estimate_the_less_it_is_sharpened(
    shown: str, seed: int, scale: float, share: float
) -> None:
    mean = 0.3 + 0.4 * texture(shown, seed)
    less, more = (
        rms(fuse(evidence_of(mean, s), mean, band_amounts=(0,) * 5).faces - mean)
        for s in (share * scale, scale)
    )
    assert less <= 1.02 * more + 1e-6


def test_sharpening_is_no_drawn_detail() -> None:
    mean = 0.3 + 0.4 * texture("octaves", 8)
    evidence = evidence_of(mean, 0.1)
    sharp, plain = (fuse(evidence, mean, sharpen=on) for on in (True, False))
    assert torch.equal(sharp.drawn, plain.drawn)
    assert rms(sharp.faces - plain.faces) > CODE


def test_a_change_beyond_the_brightest_and_darkest_pixels_around_is_reduced() -> None:
    luma = torch.full((1, 1, SIZE, SIZE), 0.4)
    luma[..., SIZE // 2 :] = 0.6
    change = torch.full_like(luma, 0.1)
    brighter = without_halos(luma, change)
    far, near_dark, near_bright = 4, SIZE // 2 - 3, SIZE // 2 + 3
    assert brighter[0, 0, 9, near_dark].item() == pytest.approx(0.1)  # still darker than the bright side
    for column in (far, near_bright):
        assert brighter[0, 0, 9, column].item() == pytest.approx(0.1 * HALO_KEPT)
    torch.testing.assert_close(without_halos(1 - luma, -change), -brighter)


@settings(max_examples=40, deadline=None)
@given(seeds, st.floats(0, 0.5))
def test_a_change_keeps_its_direction_and_its_limits(seed: int, strength: float) -> None:
    luma = picture(seed)
    change = strength * (picture(seed + 1) - 0.5)
    limited = without_halos(luma, change)
    around = F.max_pool2d(F.pad(luma, (6,) * 4, mode="replicate"), 13, 1)
    assert (limited * change >= -1e-9).all()
    assert (limited.abs() <= change.abs() + 1e-6).all()
    assert (limited >= HALO_KEPT * change - 1e-6)[change >= 0].all()
    assert ((luma + limited - around).clamp(min=0) <= HALO_KEPT * change.clamp(min=0) + 1e-6).all()
