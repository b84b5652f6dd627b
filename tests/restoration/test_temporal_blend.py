"""A neighbouring frame is weighted by its distance in time and by its similarity at each position."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.support.restorers import estimate_of
from vidrestore.restoration import FaceCodes, FaceFeatures, TemporalBlend


def blend(strength: float, own: Tensor, neighbours: Sequence[tuple[int, Tensor]]) -> Tensor:
    """The blended fused features of faces that have no others."""
    others = [(away, FaceFeatures(fused=feature)) for away, feature in neighbours]
    return TemporalBlend(strength=strength).features(FaceFeatures(fused=own), others).fused


def test_no_strength_leaves_features_as_they_are() -> None:
    feature = torch.randn(8, 4, 4)
    assert blend(0, feature, [(1, torch.randn(8, 4, 4))]) is feature


def test_a_face_without_neighbours_is_left_as_it_is() -> None:
    feature = torch.randn(8, 4, 4)
    assert blend(1, feature, []) is feature


def test_noise_on_a_still_face_is_averaged_away() -> None:
    torch.manual_seed(0)
    truth = torch.randn(64, 4, 4)
    noisy = [truth + 0.2 * torch.randn(64, 4, 4) for _ in range(7)]
    blended = blend(1, noisy[3], [(i - 3, noisy[i]) for i in range(7) if i != 3])
    assert (blended - truth).norm() < 0.6 * (noisy[3] - truth).norm()


def test_an_open_mouth_is_not_averaged_with_a_closed_one() -> None:
    torch.manual_seed(0)
    before = torch.randn(64, 4, 4)
    after = before.clone()
    after[:, 3, 1:3] = torch.randn(64, 2)  # the mouth has opened
    noisy = before + 0.1 * torch.randn(64, 4, 4)
    blended = blend(1, noisy, [(1, after), (1, after)])
    moved_to_other = (blended - noisy)[:, 3, 1:3].norm() / (after - noisy)[:, 3, 1:3].norm()
    assert moved_to_other < 0.02
    cheek = (blended - before)[:, :3].norm() / (noisy - before)[:, :3].norm()
    assert cheek < 0.6


def test_a_nearer_frame_counts_more() -> None:
    feature, near, far = torch.zeros(4, 1, 1) + 1, torch.full((4, 1, 1), 1.1), torch.full((4, 1, 1), 0.9)
    assert blend(1, feature, [(1, near), (2, far)]).mean() > 1


def test_the_face_for_the_detail_head_stays_the_frames_own() -> None:
    """It is an estimate that has been averaged along the motion already."""
    torch.manual_seed(0)
    fused = torch.randn(64, 4, 4)
    own, other = (FaceFeatures(fused=fused, face=torch.full((3, 16, 16), v)) for v in (0.0, 1.0))
    assert TemporalBlend(strength=1).features(own, [(1, other)]).face is own.face


def test_a_sharp_frame_lends_its_detail_to_a_blurred_one_and_not_the_other_way_round() -> None:
    blurred = FaceFeatures(fused=torch.full((4, 1, 1), 1.0), sharpness=torch.tensor(2.0))
    sharp = FaceFeatures(fused=torch.full((4, 1, 1), 1.1), sharpness=torch.tensor(6.0))
    blend = TemporalBlend(strength=1)
    from_sharp = blend.features(blurred, [(1, sharp)]).fused.mean().item()
    from_blurred = blend.features(sharp, [(1, blurred)]).fused.mean().item()
    assert 1.07 < from_sharp < 1.09  # some four parts to one
    assert 1.08 < from_blurred < 1.1
    # Blended, the two are about as sharp as what is in them.
    assert 4.5 < blend.features(blurred, [(1, sharp)]).sharpness < 6
    # A frame without any edge asks for no more than that, and does not divide by zero.
    nothing = FaceFeatures(fused=torch.full((4, 1, 1), 1.0), sharpness=torch.tensor(0.0))
    assert blend.features(nothing, [(1, sharp)]).fused.mean().item() == pytest.approx(from_sharp)


def test_codes_that_alternate_between_frames_settle_where_the_face_is_still() -> None:
    torch.manual_seed(0)
    still, moved = torch.randn(64, 1, 1), torch.randn(64, 1, 1)
    features = [FaceFeatures(fused=torch.cat([still, moved * (-1) ** i], dim=2)) for i in range(7)]

    def predicted(i: int) -> FaceCodes:
        likely = torch.tensor([0.55, 0.45] if i % 2 else [0.45, 0.55])[:, None, None].expand(2, 1, 2)
        return FaceCodes(features=features[i], log_probabilities=likely.log())

    blend, codes = TemporalBlend(strength=1), []
    for at in (2, 3, 4):
        around = [(i - at, predicted(i)) for i in range(7) if i != at]
        codes.append(blend.codes(predicted(at), around).log_probabilities)
    left, right = zip(*((c[1, 0, 0] - c[0, 0, 0], c[1, 0, 1] - c[0, 0, 1]) for c in codes), strict=True)
    # Before blending they differ by a fifth in favour of one code, then of the other.
    assert max(left) - min(left) < 0.1
    assert max(right) - min(right) > 0.39


def test_far_frames_stand_for_those_left_out_between() -> None:
    feature, other = torch.ones(4, 1, 1), torch.full((4, 1, 1), 1.01)
    blend = TemporalBlend(strength=1, offsets=(1, 3), time_constant=1e6)
    face = FaceFeatures(fused=feature)

    def moved_by(away: int) -> float:
        fused = blend.features(face, [(away, FaceFeatures(fused=other))]).fused
        return (fused.mean().item() - 1) / 0.01

    assert moved_by(1) == pytest.approx(1 / 2, abs=1e-3)
    assert moved_by(2) == 0
    assert moved_by(-3) == pytest.approx(2 / 3, abs=1e-3)


def test_a_face_depends_on_no_frame_beyond_the_reach() -> None:
    assert TemporalBlend(strength=0).reach == 0
    blend = TemporalBlend(
        strength=1, estimate_offsets=(1, 4), offsets=(1, 2), code_offsets=(1, 5), picture_offsets=(3,)
    )
    assert blend.reach == 14


def test_what_is_blended_is_the_weighted_mean_at_each_position() -> None:
    torch.manual_seed(0)
    own = torch.randn(64, 4, 4)
    faces = [FaceFeatures(fused=own + 0.3 * i * torch.randn(64, 4, 4)) for i in range(4)]
    blend = TemporalBlend(strength=1, offsets=(1, 2, 3), time_constant=1e6)
    blended = blend.features(faces[0], list(enumerate(faces))[1:]).fused
    for y, x in torch.cartesian_prod(torch.arange(4), torch.arange(4)).tolist():
        here = [face.fused[:, y, x] for face in faces]
        weights = torch.tensor(
            [
                torch.exp(
                    -((here[0] - other) ** 2).sum()
                    / (0.5 * ((here[0] ** 2).sum() + (other**2).sum()))
                    / blend.similarity
                )
                for other in here
            ]
        )
        mean = sum(w * part for w, part in zip(weights, here, strict=True)) / weights.sum()
        assert torch.allclose(blended[:, y, x], mean, rtol=1e-5, atol=1e-5)


def test_no_strength_leaves_estimates_and_pictures_as_they_are() -> None:
    face = estimate_of(np.full((16, 16, 3), 0.5, np.float32))
    other = estimate_of(np.full((16, 16, 3), 0.51, np.float32))
    blend = TemporalBlend(strength=0)
    assert blend.estimate(face, [(1, other)]) is face
    assert blend.picture(face.mean, [(1, other.mean)]) is face.mean
