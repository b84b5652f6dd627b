"""The losses of an estimate and of its predicted scale: their minima, and how far gradients reach."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.evidence import TINY
from vidrestore.evidence import Evidence, EvidenceNetwork
from vidrestore.evidence import network as network_module
from vidrestore.evidence.network import SCALE_GRADIENT
from vidrestore.evidence.pyramid import BANDS, split_bands
from vidrestore.training.losses.evidence_loss import (
    BAND_SHARE,
    CERTAIN_ERROR,
    calibration,
    evidence_loss,
)

SIZE = 64


def evidence_of(mean: torch.Tensor, scale: float) -> Evidence:
    return Evidence(mean, torch.full((len(mean), BANDS, SIZE // 2, SIZE // 2), scale))


def laplace(scale: float, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).laplace(0, scale, (1, 3, SIZE, SIZE))).float()


def test_no_estimate_is_better_than_the_truth() -> None:
    truth = torch.rand(2, 3, SIZE, SIZE)
    best = (1 + BAND_SHARE) * math.log(CERTAIN_ERROR**2)
    assert evidence_loss(evidence_of(truth, 0.01), truth)[0].item() == pytest.approx(best, rel=1e-6)
    assert evidence_loss(evidence_of(truth + laplace(0.01), 0.01), truth)[0].item() > best


@settings(max_examples=20, deadline=None)
@given(st.floats(0.002, 0.05), st.floats(1.5, 10))
def test_the_scale_of_the_finest_band_is_best_where_it_is_the_errors_own(true: float, wrong: float) -> None:
    """Of a Laplace distribution, the mean absolute error is the likeliest scale."""
    truth = torch.zeros(1, 3, SIZE, SIZE)
    error = laplace(true)

    finest = split_bands(error)[0].abs().mean().item()

    def loss(factor: float) -> float:
        scale = torch.full((1, BANDS, SIZE // 2, SIZE // 2), 0.01)
        scale[:, 0] = factor * finest
        return evidence_loss(Evidence(error, scale), truth)[1].item()

    assert loss(1.0) < loss(wrong)
    assert loss(1.0) < loss(1 / wrong)


def test_a_decibel_counts_the_same_in_good_and_in_bad_pictures() -> None:
    truth, error = torch.zeros(1, 3, SIZE, SIZE), laplace(0.1)

    def gain(strength: float) -> float:
        before, after = (
            evidence_loss(evidence_of(strength * share * error, 0.01), truth)[0].item() for share in (1, 0.8)
        )
        return before - after

    assert gain(1) == pytest.approx(gain(0.5), rel=0.1)
    assert gain(0.01) < 0.1 * gain(1)  # an error below a code is none


def test_the_means_loss_does_not_depend_on_the_scale() -> None:
    truth, error = torch.zeros(1, 3, SIZE, SIZE), laplace(0.02)
    sure, unsure = (evidence_loss(evidence_of(error, s), truth)[0].item() for s in (0.001, 0.1))
    assert sure == unsure


def gradients(monkeypatch: pytest.MonkeyPatch, share: float, part: int) -> dict[str, torch.Tensor]:
    """Of the mean's loss (part 0) or the scale's (part 1), by parameter; None is left out."""
    monkeypatch.setattr(network_module, "SCALE_GRADIENT", share)
    torch.manual_seed(0)
    network = EvidenceNetwork(TINY)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    truth = torch.rand(1, 3, SIZE, SIZE)
    loss = evidence_loss(network((truth + laplace(0.05)).clamp(0, 1)), truth)[part]
    loss.backward()
    return {name: p.grad for name, p in network.named_parameters() if p.grad is not None}


HEADS = ("scale.", "coarse_features.")


def test_no_more_than_the_stated_share_of_the_scales_gradient_reaches_the_trunk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, limited = (gradients(monkeypatch, share, 1) for share in (1.0, SCALE_GRADIENT))
    trunk = [name for name in whole if not name.startswith((*HEADS, "change."))]
    assert any(whole[name].abs().max() > 0 for name in trunk)
    for name in trunk:
        assert (limited[name] - SCALE_GRADIENT * whole[name]).norm() <= 1e-4 * whole[name].norm(), name
    # The scale's own layers learn in full, and the mean's error is not its business.
    for name in whole:
        if name.startswith(HEADS):
            assert (limited[name] - whole[name]).norm() <= 1e-4 * whole[name].norm(), name
    assert all(whole[name].abs().max() == 0 for name in whole if name.startswith("change."))


def test_the_means_gradient_does_not_reach_the_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    of_mean = gradients(monkeypatch, SCALE_GRADIENT, 0)
    assert of_mean["change.weight"].abs().max() > 0
    assert all(of_mean[name].abs().max() == 0 for name in of_mean if name.startswith(HEADS))


def test_calibration_is_one_where_scales_are_the_errors_own() -> None:
    """Errors of two strengths, side by side, and scales that know of it."""
    strength = torch.full((1, 1, SIZE, SIZE), 0.005)
    strength[..., SIZE // 2 :] = 0.05
    error = laplace(1.0, 1) * strength
    truth = torch.zeros(1, 3, SIZE, SIZE)
    scale = torch.nn.functional.avg_pool2d(strength, 2).expand(1, BANDS, SIZE // 2, SIZE // 2)
    table = calibration(Evidence(error, scale), truth)
    assert len(table) == BANDS
    assert all(len(ratios) == 10 for ratios in table)
    finest = table[0]
    assert all(0.7 < ratio < 1.1 for ratio in (finest[0], finest[-1]))
    doubled = calibration(Evidence(2 * error, scale), truth)[0]
    assert doubled[-1] == pytest.approx(2 * finest[-1], rel=1e-4)
