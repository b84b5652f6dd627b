"""Crops of faces and of their estimates at half size show the same places."""

from __future__ import annotations

import numpy as np
import torch

from vidrestore.evidence import Evidence
from vidrestore.evidence.two_sizes import halved
from vidrestore.training.data.refinement_crops import CROPS, random_crops


def test_all_crops_show_the_same_places() -> None:
    clean = torch.rand(3, 3, 96, 96)
    scale = halved(halved(clean)).mean(1, keepdim=True).expand(3, 5, 24, 24)
    half = Evidence(halved(clean), scale)
    crops = random_crops(clean, clean + 1, half, 32, np.random.default_rng(0))
    assert crops.clean.shape == (3 * CROPS, 3, 32, 32)
    assert torch.equal(crops.degraded, crops.clean + 1)
    assert torch.allclose(crops.half.mean, halved(crops.clean))
    assert torch.allclose(crops.half.scale[:, 0], halved(halved(crops.clean)).mean(1))


def test_every_part_of_a_face_is_used() -> None:
    places = torch.arange(96 * 96.0).view(1, 1, 96, 96).expand(1, 3, 96, 96)
    half = Evidence(halved(places), halved(halved(places)))
    rng, seen = np.random.default_rng(0), set()
    for _ in range(100):
        seen |= set(random_crops(places, places, half, 32, rng).clean.flatten().tolist())
    assert len(seen) == 96 * 96
