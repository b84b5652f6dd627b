"""Pairs of crops that depend on the seed and the step alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from vidrestore.errors import InputError
from vidrestore.training.data.evidence_crops import (
    EvidenceCrops,
    EvidencePictures,
    FacePicture,
    load_pictures,
    make_half_size_pair,
    make_pair,
    validation_pairs,
)
from vidrestore.training.data.people import FaceFile


def picture(height: int = 96, width: int = 96, seed: int = 0) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 255, (12, 12, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))


def face(height: int = 96, width: int = 96, seed: int = 0) -> FacePicture:
    return FacePicture(picture(height, width, seed))


def pictures(count: int = 3) -> EvidencePictures:
    return EvidencePictures(tuple(face(seed=i) for i in range(count)), np.full(count, 1 / count))


def test_a_step_has_the_same_batch_whenever_it_is_requested() -> None:
    crops = EvidenceCrops(pictures(), crop=32, batch=3, seed=1, make=make_pair)
    batches = [crops[step] for step in (5, 6, 5)]
    for clean, degraded in batches:
        assert clean.shape == degraded.shape == (3, 3, 32, 32)
        assert clean.dtype == degraded.dtype == torch.float32
    assert torch.equal(batches[0][0], batches[2][0])
    assert torch.equal(batches[0][1], batches[2][1])
    assert not torch.equal(batches[0][0], batches[1][0])
    other = EvidenceCrops(pictures(), crop=32, batch=3, seed=2, make=make_pair)
    assert not torch.equal(other[5][0], batches[0][0])


@pytest.mark.parametrize(("height", "width"), [(96, 96), (40, 96), (200, 60), (30, 30)])
def test_pictures_of_any_size_give_whole_crops(height: int, width: int) -> None:
    for seed in range(25):
        target, degraded = make_pair(face(height, width), 32, np.random.default_rng(seed))
        for crop in (target, degraded):
            assert crop.shape == (32, 32, 3)
            assert crop.dtype == np.float32
            assert np.isfinite(crop).all()
            assert crop.min() >= 0
            assert crop.max() <= 1


@pytest.mark.parametrize("side", [64, 96, 200])
def test_whole_faces_are_reduced_to_half_their_size(side: int) -> None:
    """The middle of the face stays in the middle, whatever the size of the picture."""
    marked = np.full((side, side, 3), 20, np.uint8)
    marked[side * 3 // 8 : side * 5 // 8, side * 3 // 8 : side * 5 // 8] = 230
    seen = []
    for seed in range(25):
        target, degraded = make_half_size_pair(FacePicture(marked), 32, np.random.default_rng(seed))
        for half in (target, degraded):
            assert half.shape == (32, 32, 3)
            assert half.dtype == np.float32
            assert 0 <= half.min() <= half.max() <= 1
        seen.append(target.mean(2))
    bright = np.mean(seen, 0) > np.mean(seen)
    assert bright[14:18, 14:18].all()
    assert not bright[:9].any()
    assert not bright[:, 23:].any()


def test_a_seed_gives_the_same_whole_face() -> None:
    one, other = (make_half_size_pair(face(), 32, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(one[0], other[0])
    assert np.array_equal(one[1], other[1])


def test_the_border_of_a_whole_face_is_cut_off() -> None:
    """A face with a border of an eighth on each side gives almost what the face without it gives."""
    whole = np.asarray(cv2.resize(picture(), (256, 256), interpolation=cv2.INTER_CUBIC))
    inside = np.ascontiguousarray(whole[32:-32, 32:-32])
    differences = []
    for seed in range(10):
        with_border, without = (
            make_half_size_pair(shown, 64, np.random.default_rng(seed))[0]
            for shown in (FacePicture(whole, 0.125), FacePicture(inside))
        )
        differences.append(np.abs(with_border - without)[16:-16, 16:-16].max())
    assert max(differences) < 0.01


def test_faces_are_drawn_by_their_weight(tmp_path: Path) -> None:
    files = []
    for name, weight in (("rare", 3.0), ("common", 1.0)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), picture())
        files.append(
            FaceFile(
                path=tmp_path / f"{name}.png", person=name, is_held_out=False, is_photo=True, weight=weight
            )
        )
    loaded = load_pictures(files)
    assert loaded.weights.tolist() == [0.75, 0.25]
    assert np.array_equal(loaded.pictures[0].pixels, picture()[:, :, ::-1])
    chosen = np.random.default_rng(0).choice(2, 1000, p=loaded.weights)
    assert 700 < Counter(chosen.tolist())[0] < 800


def test_synthetic_faces_may_be_left_out(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), picture())
    drawn = FaceFile(path=tmp_path / "a.png", person="a", is_held_out=False, is_photo=False)
    assert len(load_pictures([drawn]).pictures) == 1
    with pytest.raises(InputError, match="no photographs of faces to train on"):
        load_pictures([drawn], photos_only=True)


def test_validation_pairs_are_always_the_same(tmp_path: Path) -> None:
    files = []
    for index in range(5):
        cv2.imwrite(str(tmp_path / f"{index}.png"), picture(seed=index))
        files.append(
            FaceFile(path=tmp_path / f"{index}.png", person=str(index), is_held_out=True, is_photo=True)
        )
    clean, degraded = validation_pairs(files, 32, 4)
    assert clean.shape == degraded.shape == (4, 3, 32, 32)
    again = validation_pairs(files, 32, 4)
    assert torch.equal(again[0], clean)
    assert torch.equal(again[1], degraded)
