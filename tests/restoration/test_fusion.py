"""The rule: the generator adds what the estimate is known to lack, and nothing else."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.fusion_faces import (
    CODE,
    SIZE,
    evidence_of,
    low_passed,
    luma_of,
    rms,
    scales,
    seeds,
    texture,
    textures,
)
from vidrestore.evidence import Evidence, split_bands
from vidrestore.evidence.pyramid import BANDS
from vidrestore.restoration.fusion import COST_SHARE, fuse, possible_change


@settings(max_examples=40, deadline=None)
@given(textures, textures, seeds)
def test_without_any_error_the_result_is_the_estimate_bit_for_bit(shown: str, drawn: str, seed: int) -> None:
    mean = texture(shown, seed)
    fused = fuse(evidence_of(mean, 0.0), texture(drawn, seed + 1))
    assert torch.equal(fused.faces, mean)
    assert rms(fused.drawn) == 0


@settings(max_examples=20, deadline=None)
@given(textures, textures, seeds, scales)
def test_an_amount_of_zero_gives_the_estimate_bit_for_bit(
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


def test_the_drawn_face_is_used_where_all_detail_is_missing() -> None:
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
    share = fuse(evidence_of(mean, scale), texture(drawn, seed + 1)).drawn_share
    assert share.shape == (1,)
    assert 0 <= share.item() <= 1


@pytest.mark.parametrize("shown", ["octaves", "flat"])
def test_the_drawn_share_is_zero_without_drawn_detail_and_grows_with_the_scale(shown: str) -> None:
    mean, drawn = texture(shown, 1), texture("octaves", 2)
    shares = [fuse(evidence_of(mean, s), drawn).drawn_share.item() for s in (0.0, 0.005, 0.02, 0.08)]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] > (0.9 if shown == "flat" else 0.2)


@pytest.mark.parametrize("change", [None, 1e-4])
def test_the_drawn_share_is_measured_in_the_bands_of_what_was_drawn(change: float | None) -> None:
    mean, drawn = 0.25 + texture("octaves", 1) / 2, texture("octaves", 2)
    fused = fuse(evidence_of(mean, 0.05), drawn, change=None if change is None else torch.tensor([change]))
    rows, columns = slice(23, 51), slice(18, 46)  # between eyes and mouth
    shown, added = (
        sum(
            split_bands(luma)[k]
            .repeat_interleave(2**k, 2)
            .repeat_interleave(2**k, 3)[..., rows, columns]
            .square()
            .mean()
            .item()
            for k in range(BANDS - 1)
        )
        for luma in (luma_of(mean), fused.drawn)
    )
    assert fused.drawn_share.item() == pytest.approx(added / (added + shown), rel=0.08)


def test_the_possible_change_is_the_total_error_of_all_bands() -> None:
    mean = texture("flat", 0)
    assert possible_change(evidence_of(mean, 0.0)).item() == 0
    assert possible_change(evidence_of(mean, 0.01)).item() == pytest.approx(
        math.sqrt(2 * BANDS) * 0.01, rel=1e-5
    )


@pytest.mark.parametrize(("side", "expected"), [(SIZE, 0), (SIZE // 2, 1), (SIZE // 4, 2), (2 * SIZE, 0)])
def test_the_amounts_of_an_enlarged_face_belong_to_the_bands_that_were_drawn(
    side: int, expected: int
) -> None:
    """An amount of 1 for the finest drawn band alone: the detail enters in the band where it is now."""
    evidence = evidence_of(0.2 + 0.6 * texture("flat", 0), 0.05)
    drawn = texture("octaves", 1)
    fused = fuse(evidence, drawn, band_amounts=(1, 0, 0, 0, 0), drawn_side=side, sharpen=False)
    entered = [rms(band) for band in split_bands(fused.drawn)[:-1]]
    assert entered.index(max(entered)) == expected


def test_between_two_sizes_the_amounts_are_interpolated() -> None:
    evidence = evidence_of(0.2 + 0.6 * texture("flat", 0), 0.05)
    strengths = [
        rms(fuse(evidence, texture("white", 1), drawn_side=side, sharpen=False).drawn)
        for side in (SIZE, round(SIZE / 1.5), SIZE // 2)
    ]
    assert strengths[0] > strengths[1] > strengths[2] > 0


@settings(max_examples=20, deadline=None)
@given(textures, seeds, st.floats(1e-6, 1e-2), st.floats(0.2, 3))
def test_what_is_added_costs_at_most_a_share_of_the_gain(
    shown: str, seed: int, change: float, amount: float
) -> None:
    mean = 0.25 + texture(shown, seed) / 2  # nothing is clipped
    fused = fuse(
        evidence_of(mean, 0.1), texture("white", seed + 1), change=torch.tensor([change]), amount=amount
    )
    limit = amount**2 * COST_SHARE * change
    assert (fused.faces - mean).square().mean().item() <= 1.001 * limit + 1e-9
    assert (fused.drawn).square().mean().item() <= 1.001 * limit + 1e-9


def test_a_face_that_the_estimate_did_not_change_stays() -> None:
    mean = texture("octaves", 1)
    fused = fuse(evidence_of(mean, 0.1), texture("white", 2), change=torch.zeros(1))
    assert torch.equal(fused.faces, mean)


def test_a_large_change_limits_nothing() -> None:
    mean, drawn = texture("octaves", 1), texture("white", 2)
    limited, free = (fuse(evidence_of(mean, 0.02), drawn, change=c) for c in (torch.ones(1), None))
    assert torch.equal(limited.faces, free.faces)


def test_each_face_of_a_batch_has_a_limit_of_its_own() -> None:
    means = torch.cat([texture("octaves", 1), texture("octaves", 3)])
    drawn, changes = texture("white", 2).expand_as(means), torch.tensor([1e-5, 1.0])
    scale = evidence_of(means[:1], 0.1).scale.expand(2, -1, -1, -1)
    together = fuse(Evidence(means, scale), drawn, change=changes).faces
    for i in range(2):
        alone = fuse(
            Evidence(means[i : i + 1], scale[i : i + 1]), drawn[i : i + 1], change=changes[i : i + 1]
        )
        assert torch.allclose(together[i], alone.faces[0], atol=1e-6)
