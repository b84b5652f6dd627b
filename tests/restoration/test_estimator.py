"""Each aligned face is estimated on its own, at any size."""

from __future__ import annotations

import copy

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.evidence import tiny_network
from vidrestore.evidence import EvidenceNetwork, TwoSizeEvidence
from vidrestore.evidence.checkpoint import load_evidence
from vidrestore.evidence.pyramid import BANDS
from vidrestore.restoration.estimator import (
    LARGEST_CHANGE,
    Estimator,
    keep_unchanged,
    resized,
    to_evidence,
)
from vidrestore.restoration.face_estimate import FaceEstimate
from vidrestore.types import FloatArray
from vidrestore.weights import embedded_path

CPU = torch.device("cpu")
CODE = 1 / 255


def estimator(precision: torch.dtype = torch.float32, network: EvidenceNetwork | None = None) -> Estimator:
    return Estimator(TwoSizeEvidence(network or tiny_network(spread=0.02)), device=CPU, precision=precision)


def face(size: int, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).random((size, size, 3), np.float32)


def equal(one: FaceEstimate, other: FaceEstimate) -> bool:
    same = np.array_equal(one.mean, other.mean) and np.array_equal(one.scale, other.scale)
    return same and one.is_certain == other.is_certain


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_a_face_does_not_depend_on_its_batch(precision: torch.dtype) -> None:
    run = estimator(precision)
    faces = [face(64, seed) for seed in range(5)]
    together = run.estimate(faces)
    for given_face, estimate in zip(faces, together, strict=True):
        (alone,) = run.estimate([given_face])
        assert equal(alone, estimate)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.sampled_from([16, 32, 48, 64]), min_size=1, max_size=6))
def test_sizes_may_be_mixed_and_come_back_in_order(sizes: list[int]) -> None:
    run = estimator()
    faces = [face(size, seed) for seed, size in enumerate(sizes)]
    for given_face, estimate in zip(faces, run.estimate(faces), strict=True):
        assert estimate.mean.shape == given_face.shape
        assert estimate.scale.shape == (given_face.shape[0] // 2, given_face.shape[0] // 2, BANDS)
        assert equal(run.estimate([given_face])[0], estimate)


def test_an_estimate_is_a_picture() -> None:
    (estimate,) = estimator(network=tiny_network(spread=0.3)).estimate([face(32)])
    assert (estimate.mean.dtype, estimate.scale.dtype) == (np.float32, np.float32)
    assert estimate.mean.min() >= 0
    assert estimate.mean.max() <= 1
    assert np.isfinite(estimate.scale).all()


def test_bfloat16_does_not_shift_the_scales() -> None:
    """The sharpening depends on their twelfth power."""
    network = load_evidence(embedded_path("evidence.safetensors"))
    shown = cv2.GaussianBlur(face(64), (0, 0), 2.0)
    exact, rounded = (
        estimator(precision, copy.deepcopy(network)).estimate([shown])[0].scale
        for precision in (torch.float32, torch.bfloat16)
    )
    assert rounded.mean((0, 1)) == pytest.approx(exact.mean((0, 1)), rel=0.007)


def test_no_faces_are_no_estimates() -> None:
    assert estimator().estimate([]) == []


def with_scale(value: float, change: float = 0.0) -> EvidenceNetwork:
    """A network that adds the same change to all pixels and predicts one scale everywhere."""
    network = tiny_network(spread=0)
    with torch.no_grad():
        for parameter in (*network.scale[-1].parameters(), *network.gate.parameters()):
            parameter.zero_()
        network.gate.bias.fill_(40)  # the gate is open: the input itself
        network.scale[-1].bias.fill_(float(np.log(value)))
        network.change.bias.fill_(change)
    return network


def test_a_face_is_certain_where_next_to_nothing_could_be_drawn() -> None:
    even = np.full((32, 32, 3), 0.4, np.float32)
    (sure,) = estimator(network=with_scale(0.05 * CODE)).estimate([even])
    (unchanged,) = estimator(network=with_scale(2 * CODE)).estimate([even])
    (unsure,) = estimator(network=with_scale(2 * CODE, 4 * CODE)).estimate([even])
    assert [e.is_certain for e in (sure, unchanged, unsure)] == [True, True, False]
    assert np.array_equal(sure.mean, even)
    assert unchanged.change == 0
    assert unsure.change == pytest.approx((4 * CODE) ** 2, rel=0.01)


seeds = st.integers(0, 2**31)


@settings(max_examples=30, deadline=None)
@given(seeds, st.floats(0, 0.49))
def test_a_change_of_less_than_half_a_code_vanishes(seed: int, codes: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    pictures = torch.rand(1, 3, 32, 32, generator=generator)
    change = codes * CODE * (2 * torch.rand(1, 3, 32, 32, generator=generator) - 1)
    assert torch.equal(keep_unchanged(pictures, pictures + change), pictures)


@settings(max_examples=30, deadline=None)
@given(seeds, st.floats(0, 20))
def test_what_is_kept_lies_between_the_picture_and_the_mean(seed: int, codes: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    pictures = torch.rand(1, 3, 32, 32, generator=generator)
    mean = pictures + codes * CODE * torch.randn(1, 3, 32, 32, generator=generator)
    kept = keep_unchanged(pictures, mean)
    low, high = torch.minimum(pictures, mean), torch.maximum(pictures, mean)
    assert (kept >= low - 1e-6).all()
    assert (kept <= high + 1e-6).all()


def test_a_change_of_several_codes_is_taken_in_full_where_it_is() -> None:
    pictures = torch.full((1, 3, 64, 64), 0.5)
    mean = pictures.clone()
    mean[..., 40:] += 4 * CODE
    kept = keep_unchanged(pictures, mean)
    assert torch.allclose(kept[..., 44:], mean[..., 44:], atol=1e-6)
    assert torch.equal(kept[..., :36], pictures[..., :36])


def test_estimates_and_evidence_are_the_same_numbers() -> None:
    estimates = estimator().estimate([face(32, 1), face(32, 2)])
    evidence = to_evidence(estimates, CPU)
    assert evidence.mean.shape == (2, 3, 32, 32)
    assert evidence.scale.shape == (2, BANDS, 16, 16)
    assert np.array_equal(evidence.mean[1].permute(1, 2, 0).numpy(), estimates[1].mean)
    assert np.array_equal(evidence.scale[0].permute(1, 2, 0).numpy(), estimates[0].scale)


@pytest.mark.parametrize("size", [16, 32, 64])
def test_resizing_keeps_a_picture_a_picture(size: int) -> None:
    given_face = face(32)
    result = resized(given_face, size)
    assert result.shape == (size, size, 3)
    assert result.dtype == np.float32
    assert result.min() >= 0
    assert result.max() <= 1
    assert (result is given_face) == (size == 32)
    assert result.mean() == pytest.approx(given_face.mean(), abs=0.01)


def test_no_pixel_of_a_clean_face_changes_much() -> None:
    """A hard edge of a clean face that the network would move is no damage."""
    pictures = torch.full((1, 3, 128, 128), 0.5)
    mean = pictures.clone()
    mean[..., 20:22, 20:24] += 40 / 255
    assert (keep_unchanged(pictures, mean) - pictures).abs().max() <= LARGEST_CHANGE + 1e-6


def test_pixels_of_a_damaged_face_change_as_much_as_they_must() -> None:
    pictures = torch.full((1, 3, 64, 64), 0.5)
    mean = pictures + 5 / 255
    mean[..., 20:22, 20:24] += 100 / 255
    assert torch.allclose(keep_unchanged(pictures, mean), mean)
