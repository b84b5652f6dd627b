"""A neighbour counts by how near it is in time and by how alike it is at each position."""

from __future__ import annotations

import torch

from vidrestore.restoration import TemporalBlend


def test_no_strength_leaves_features_as_they_are() -> None:
    feature = torch.randn(8, 4, 4)
    assert TemporalBlend(strength=0)(feature, [(1, torch.randn(8, 4, 4))]) is feature


def test_a_face_without_neighbours_is_left_as_it_is() -> None:
    feature = torch.randn(8, 4, 4)
    assert TemporalBlend(strength=1)(feature, []) is feature


def test_noise_on_a_still_face_is_averaged_away() -> None:
    torch.manual_seed(0)
    truth = torch.randn(64, 4, 4)
    noisy = [truth + 0.2 * torch.randn(64, 4, 4) for _ in range(7)]
    blended = TemporalBlend(strength=1)(noisy[3], [(abs(i - 3), noisy[i]) for i in range(7) if i != 3])
    assert (blended - truth).norm() < 0.6 * (noisy[3] - truth).norm()


def test_an_open_mouth_is_not_averaged_with_a_closed_one() -> None:
    torch.manual_seed(0)
    before = torch.randn(64, 4, 4)
    after = before.clone()
    after[:, 3, 1:3] = torch.randn(64, 2)  # the mouth has opened
    noisy = before + 0.1 * torch.randn(64, 4, 4)
    blended = TemporalBlend(strength=1)(noisy, [(1, after), (1, after)])
    moved_to_other = (blended - noisy)[:, 3, 1:3].norm() / (after - noisy)[:, 3, 1:3].norm()
    assert moved_to_other < 0.02
    cheek = (blended - before)[:, :3].norm() / (noisy - before)[:, :3].norm()
    assert cheek < 0.6


def test_a_nearer_frame_counts_more() -> None:
    feature, near, far = torch.zeros(4, 1, 1) + 1, torch.full((4, 1, 1), 1.1), torch.full((4, 1, 1), 0.9)
    assert TemporalBlend(strength=1)(feature, [(1, near), (3, far)]).mean() > 1
