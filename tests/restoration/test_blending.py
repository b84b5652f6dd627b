"""A neighbour counts by how near it is in time and by how alike it is at each position."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vidrestore.restoration import FaceFeatures, TemporalBlend


def blend(strength: float, own: Tensor, neighbours: Sequence[tuple[int, Tensor]]) -> Tensor:
    """The blended fused features of faces that have no others."""
    others = [(away, FaceFeatures(fused=feature)) for away, feature in neighbours]
    return TemporalBlend(strength=strength)(FaceFeatures(fused=own), others).fused


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
    blended = blend(1, noisy[3], [(abs(i - 3), noisy[i]) for i in range(7) if i != 3])
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
    assert blend(1, feature, [(1, near), (3, far)]).mean() > 1


def test_finer_levels_are_averaged_where_the_fused_features_agree() -> None:
    torch.manual_seed(0)
    fused = torch.randn(64, 4, 4)
    other = fused.clone()
    other[:, :2] = torch.randn(64, 2, 4)  # the upper half is another one
    own, neighbour = (FaceFeatures(fused=f, levels=(torch.full((3, 16, 16), v),)) for f, v in
                      ((fused, 0.0), (other, 1.0)))  # fmt: skip
    (level,) = TemporalBlend(strength=1)(own, [(1, neighbour)]).levels
    assert level.shape == (3, 16, 16)
    assert level[:, :6].max() < 0.02
    assert level[:, 10:].min() > 0.4
