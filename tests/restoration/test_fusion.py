"""The rule: the generator adds what the estimate is known to lack, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vidrestore.evidence import Evidence, split_bands
from vidrestore.evidence.pyramid import BANDS, downsample
from vidrestore.restoration.fusion import Fused, drawn_share, fuse, possible_change

SIZE = 64
CODE = 1 / 255

textures = st.sampled_from(["white", "soft", "octaves", "edge", "flat"])
seeds = st.integers(0, 2**31)
scales = st.floats(0, 0.1)


def texture(kind: str, seed: int) -> Tensor:
    """(1, 3, SIZE, SIZE) in 0..1: what an estimate or a drawn face may look like, and what neither does."""
    generator = torch.Generator().manual_seed(seed)

    def noise(side: int) -> Tensor:
        coarse = torch.rand(1, 3, side, side, generator=generator)
        return F.interpolate(coarse, size=SIZE, mode="bilinear", align_corners=False)

    if kind == "white":
        return noise(SIZE)
    if kind == "soft":
        return noise(8)
    if kind == "octaves":
        return torch.stack([noise(SIZE // 2**k) for k in range(5)]).mean(0)
    picture = torch.full((1, 3, SIZE, SIZE), 0.3)
    if kind == "edge":
        picture[..., SIZE // 2 :] = 0.8
    return picture


def evidence_of(mean: Tensor, bands: float | Sequence[float]) -> Evidence:
    """An estimate with the same scale at every pixel of a band."""
    values = torch.full((BANDS,), bands) if isinstance(bands, float | int) else torch.tensor([*bands])
    return Evidence(mean, values.float()[None, :, None, None].expand(1, BANDS, SIZE // 2, SIZE // 2))


def luma_of(picture: Tensor) -> Tensor:
    """(N, 1, SIZE, SIZE)"""
    return (picture * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)


def rms(picture: Tensor) -> float:
    return picture.square().mean().sqrt().item()


@settings(max_examples=40, deadline=None)
@given(textures, textures, seeds)
def test_without_any_error_the_result_is_the_estimate_bit_for_bit(shown: str, drawn: str, seed: int) -> None:
    mean = texture(shown, seed)
    fused = fuse(evidence_of(mean, 0.0), texture(drawn, seed + 1))
    assert torch.equal(fused.faces, mean)
    assert rms(fused.drawn) == 0


@settings(max_examples=20, deadline=None)
@given(textures, textures, seeds, scales)
def test_an_amount_of_nothing_gives_the_estimate_bit_for_bit(
    shown: str, drawn: str, seed: int, scale: float
) -> None:
    mean = texture(shown, seed)
    assert torch.equal(fuse(evidence_of(mean, scale), texture(drawn, seed + 1), amount=0.0).faces, mean)


def test_single_pixels_are_drawn_only_where_the_next_band_is_missing_too() -> None:
    mean, drawn = texture("octaves", 1), texture("white", 2)
    amounts = (1.0, 0.0, 0.0, 0.0, 0.0)
    added = [
        rms(fuse(evidence_of(mean, (0.1, next_band, 0, 0, 0)), drawn, band_amounts=amounts).drawn)
        for next_band in (0.0, 0.01, 0.1)
    ]
    assert added[0] == 0
    assert added[0] < 3 * CODE < added[1] < added[2]


@settings(max_examples=40, deadline=None)
@given(textures, textures, seeds)
def test_a_face_that_the_estimate_is_sure_of_stays_whatever_is_drawn(
    shown: str, drawn: str, seed: int
) -> None:
    mean = texture(shown, seed)
    fused = fuse(evidence_of(mean, 0.05 * CODE), texture(drawn, seed + 1))
    assert (fused.faces - mean).abs().max() < 0.5 * CODE


def low_passed(picture: Tensor, times: int) -> Tensor:
    for _ in range(times):
        picture = downsample(picture)
    return picture


@settings(max_examples=60, deadline=None)
@given(textures, textures, seeds, st.integers(1, BANDS - 1))
def test_what_the_footage_shows_at_a_lower_resolution_stays(
    shown: str, drawn: str, seed: int, certain: int
) -> None:
    """Bands from `certain` on are known; the finer ones lack about a code each."""
    mean = texture(shown, seed)
    bands = [CODE if k < certain else 0.0 for k in range(BANDS)]
    fused = fuse(evidence_of(mean, bands), texture(drawn, seed + 1))
    change = low_passed(mean + fused.drawn, certain) - low_passed(mean, certain)
    assert change.abs().max() < 0.5 * CODE


@settings(max_examples=60, deadline=None)
@given(textures, textures, seeds, scales, st.integers(1, BANDS - 1))
def test_most_of_what_is_drawn_for_unsure_bands_stays_out_of_certain_ones(
    shown: str, drawn: str, seed: int, scale: float, certain: int
) -> None:
    mean = texture(shown, seed)
    bands = [scale if k < certain else 0.0 for k in range(BANDS)]
    fused = fuse(evidence_of(mean, bands), texture(drawn, seed + 1))
    assert rms(low_passed(fused.drawn, certain)) <= 0.5 * rms(fused.drawn) + 0.05 * CODE


@settings(max_examples=60, deadline=None)
@given(textures, textures, seeds, scales, st.floats(0.1, 2))
def test_no_more_energy_enters_than_is_missing(
    shown: str, drawn: str, seed: int, scale: float, amount: float
) -> None:
    evidence = evidence_of(texture(shown, seed), scale)
    fused = fuse(evidence, texture(drawn, seed + 1), amount=amount)
    assert rms(fused.drawn) <= amount * possible_change(evidence).item() + 1e-6


@settings(max_examples=60, deadline=None)
@given(textures, textures, seeds, scales, st.integers(0, BANDS - 1))
def test_no_more_energy_enters_a_band_than_is_missing_there(
    shown: str, drawn: str, seed: int, scale: float, band: int
) -> None:
    bands = [scale if k == band else 0.0 for k in range(BANDS)]
    fused = fuse(evidence_of(texture(shown, seed), bands), texture(drawn, seed + 1))
    # Energies are averaged over windows, which at the edge of a picture are smaller: a few per cent.
    assert rms(fused.drawn) <= 1.05 * math.sqrt(2) * scale + 1e-6


@settings(max_examples=60, deadline=None)
@given(textures, textures, seeds, scales, st.floats(0, 1))
def test_the_surer_the_estimate_the_less_is_drawn(
    shown: str, drawn: str, seed: int, scale: float, share: float
) -> None:
    mean, face = texture(shown, seed), texture(drawn, seed + 1)
    less, more = (rms(fuse(evidence_of(mean, s), face).drawn) for s in (share * scale, scale))
    assert less <= 1.02 * more + 1e-6


@settings(max_examples=40, deadline=None)
@given(textures, textures, seeds, scales)
def test_a_grey_estimate_stays_grey(shown: str, drawn: str, seed: int, scale: float) -> None:
    mean = texture(shown, seed)[:, :1].expand(1, 3, SIZE, SIZE)
    faces = fuse(evidence_of(mean, scale), texture(drawn, seed + 1)).faces
    assert torch.equal(faces[:, 0], faces[:, 1])
    assert torch.equal(faces[:, 1], faces[:, 2])


def band_of(picture: Tensor, k: int) -> Tensor:
    return split_bands(luma_of(picture))[k]


def test_the_estimates_own_detail_becomes_stronger_where_it_is_unsure() -> None:
    mean = 0.3 + 0.4 * texture("octaves", 8)
    raised = fuse(evidence_of(mean, 0.03), mean)  # nothing of the drawn face is new
    for k in (0, 1):
        before, after = band_of(mean, k), band_of(raised.faces, k)
        likeness = (before * after).mean() / (rms(before) * rms(after))
        assert likeness > 0.9
        assert 1.1 < rms(after) / rms(before) < 2
    without = fuse(evidence_of(mean, 0.03), mean, raised=(0, 0, 0, 0))
    assert torch.equal(raised.drawn, without.drawn)


@settings(max_examples=40, deadline=None)
@given(textures, seeds, scales, st.floats(0, 2))
def test_raised_detail_adds_no_more_energy_than_is_missing(
    shown: str, seed: int, scale: float, amount: float
) -> None:
    mean = 0.3 + 0.4 * texture(shown, seed)
    evidence = evidence_of(mean, scale)
    (raised, plain) = (
        fuse(evidence, mean, amount=amount, raised=shares).faces for shares in ((1, 1, 1, 1), (0, 0, 0, 0))
    )
    assert rms(raised - plain) <= amount * possible_change(evidence).item() + 1e-6


@settings(max_examples=40, deadline=None)
@given(textures, seeds, scales, st.floats(0, 1))
def test_the_surer_the_estimate_the_less_is_raised(shown: str, seed: int, scale: float, share: float) -> None:
    mean = 0.3 + 0.4 * texture(shown, seed)
    less, more = (
        rms(fuse(evidence_of(mean, s), mean, band_amounts=(0,) * 5).faces - mean)
        for s in (share * scale, scale)
    )
    assert less <= 1.02 * more + 1e-6


@settings(max_examples=40, deadline=None)
@given(textures, seeds, scales)
def test_raised_detail_puts_no_halos_around_edges(shown: str, seed: int, scale: float) -> None:
    mean = 0.3 + 0.4 * texture(shown, seed)
    faces = fuse(evidence_of(mean, scale), mean, band_amounts=(0,) * 5).faces
    luma, before = (luma_of(picture)[0, 0].numpy() for picture in (faces, mean))
    around = np.ones((5, 5), np.uint8)
    assert (luma <= cv2.dilate(before, around) + 1e-5).all()
    assert (luma >= cv2.erode(before, around) - 1e-5).all()


def test_nothing_is_raised_at_a_resolution_that_the_footage_shows() -> None:
    mean = 0.3 + 0.4 * texture("octaves", 9)
    sure = fuse(evidence_of(mean, (0.03, 0, 0, 0, 0)), mean).faces
    assert rms(sure - mean) == 0  # single pixels depend on the next band
    unsure = fuse(evidence_of(mean, (0.03, 0.03, 0, 0, 0)), mean).faces
    change = low_passed(unsure, 2) - low_passed(mean, 2)
    assert rms(unsure - mean) > 2 * CODE
    assert rms(change) < 0.15 * rms(unsure - mean)


def test_colour_is_the_estimates() -> None:
    mean = texture("soft", 1) * 0.5 + 0.25
    red = torch.zeros(1, 3, SIZE, SIZE)
    red[:, 0] = texture("white", 2)[:, 0]
    fused = fuse(evidence_of(mean, 0.02), red)
    assert rms(fused.drawn) > CODE
    change = fused.faces - mean
    assert (change[:, 0] - change[:, 1]).abs().max() < 1e-6
    assert (change[:, 1] - change[:, 2]).abs().max() < 1e-6


def test_detail_that_the_estimate_shows_already_is_not_added_again() -> None:
    mean = texture("octaves", 3)
    again = fuse(evidence_of(mean, 0.05), mean)
    other = fuse(evidence_of(mean, 0.05), texture("octaves", 4))
    assert rms(again.drawn) < 0.05 * rms(other.drawn)


def test_where_all_is_missing_the_drawn_face_takes_its_place() -> None:
    mean, drawn = torch.full((1, 3, SIZE, SIZE), 0.5), 0.3 + 0.4 * texture("soft", 5)
    fused = fuse(evidence_of(mean, 1.0), drawn)
    missing = luma_of(drawn) - 0.5
    assert rms(fused.drawn - missing) < 0.3 * rms(missing)


def test_only_where_the_estimate_is_unsure_something_is_drawn() -> None:
    mean = texture("soft", 6) * 0.5 + 0.25
    scale = torch.zeros(1, BANDS, SIZE // 2, SIZE // 2)
    scale[:, :2, :, SIZE // 4 :] = 0.05
    change = fuse(Evidence(mean, scale), texture("white", 7)).drawn.abs()
    assert change[..., SIZE // 2 :].mean() > 2 * CODE
    assert change[..., : SIZE // 2 - 16].max() < 0.5 * CODE


def test_faces_do_not_depend_on_each_other() -> None:
    means = torch.cat([texture("soft", 1), texture("octaves", 2)])
    drawn = torch.cat([texture("white", 3), texture("edge", 4)])
    scale = torch.cat([evidence_of(means[:1], s).scale for s in (0.01, 0.05)])
    together = fuse(Evidence(means, scale), drawn).faces
    for i in range(2):
        alone = fuse(Evidence(means[i : i + 1], scale[i : i + 1]), drawn[i : i + 1]).faces
        assert torch.allclose(together[i : i + 1], alone, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(textures, textures, seeds, scales)
def test_the_share_that_was_drawn_is_a_share(shown: str, drawn: str, seed: int, scale: float) -> None:
    mean = texture(shown, seed)
    share = drawn_share(mean, fuse(evidence_of(mean, scale), texture(drawn, seed + 1)))
    assert share.shape == (1,)
    assert 0 <= share.item() <= 1


@pytest.mark.parametrize("shown", ["octaves", "flat"])
def test_the_share_is_nothing_where_nothing_is_drawn_and_grows_with_it(shown: str) -> None:
    mean, drawn = texture(shown, 1), texture("octaves", 2)
    assert drawn_share(mean, Fused(mean, torch.zeros(1, 1, SIZE, SIZE))).item() == 0
    shares = [drawn_share(mean, fuse(evidence_of(mean, s), drawn)).item() for s in (0.0, 0.005, 0.02, 0.08)]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] > (0.9 if shown == "flat" else 0.2)


def test_how_much_may_change_is_the_sum_of_what_bands_lack() -> None:
    mean = texture("flat", 0)
    assert possible_change(evidence_of(mean, 0.0)).item() == 0
    assert possible_change(evidence_of(mean, 0.01)).item() == pytest.approx(
        math.sqrt(2 * BANDS) * 0.01, rel=1e-5
    )
