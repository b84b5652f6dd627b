"""Batches depend on seed and step alone; people are held out for ever."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from vidrestore.errors import InputError
from vidrestore.training.config import DataConfig
from vidrestore.training.data.dataset import batches, crop_face, read_face, split_people


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for i in range(30):
        picture = cv2.resize(rng.integers(0, 255, (9, 9, 3), np.uint8), (72, 72))
        cv2.imwrite(str(tmp_path / f"P{i:03d}.png"), picture)
    return tmp_path


def test_a_person_is_in_training_or_in_validation_and_stays_there(faces: Path) -> None:
    config = DataConfig(faces=faces, validation_share=0.3)
    train, held = split_people(config)
    assert len(train) + len(held) == 30
    assert not set(train) & set(held)
    (faces / "P000.png").unlink() if (faces / "P000.png") in train else None
    assert split_people(config)[1] == held


def test_a_resumed_run_sees_the_batches_of_an_undisturbed_one(faces: Path) -> None:
    config = DataConfig(faces=faces, rotate=10, scale=0.1, shift=0.05, colour=True)
    train, _ = split_people(config)
    whole = batches(train, 32, config, batch=3, seed=1)
    seen = [next(whole) for _ in range(5)]
    resumed = next(batches(train, 32, config, batch=3, seed=1, first_step=4))
    assert torch.equal(resumed.clean, seen[4].clean)
    assert torch.equal(resumed.degraded, seen[4].degraded)
    assert not torch.equal(seen[3].clean, seen[4].clean)


def test_pictures_are_scaled_to_minus_one_to_one(faces: Path) -> None:
    config = DataConfig(faces=faces)
    batch = next(batches(split_people(config)[0], 32, config, batch=4, seed=0))
    assert batch.clean.shape == batch.degraded.shape == (4, 3, 32, 32)
    assert -1 <= batch.clean.min() < -0.2 < 0.2 < batch.clean.max() <= 1


def test_the_border_is_cut_off_exactly(tmp_path: Path) -> None:
    picture = np.zeros((36, 36, 3), np.uint8)
    picture[2:34, 2:34] = 200
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    face = crop_face(read_face(tmp_path / "a.png"), 32, DataConfig(faces=tmp_path, border=2 / 36), None)
    assert face.shape == (32, 32, 3)
    assert face.min() == pytest.approx(200 / 255, abs=1e-3)


def test_a_folder_without_pictures_is_reported_to_have_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no pictures"):
        split_people(DataConfig(faces=tmp_path))
    with pytest.raises(InputError, match="no folder of faces"):
        split_people(DataConfig(faces=tmp_path / "missing"))


def test_other_surroundings_leave_the_face_alone(faces: Path) -> None:
    config = DataConfig(faces=faces, surroundings=1.0)
    picture = read_face(faces / "P000.png")
    plain = crop_face(picture, 64, DataConfig(faces=faces), None)
    changed = [crop_face(picture, 64, config, np.random.default_rng(seed)) for seed in range(8)]
    for face in changed:
        nearest = min(np.abs(face - p)[26:44, 26:38].max() for p in (plain, plain[:, ::-1]))
        assert nearest < 1e-5
        assert min(np.abs(face - p)[:6, :6].max() for p in (plain, plain[:, ::-1])) > 0.02


def test_uneven_light_keeps_within_its_strength(faces: Path) -> None:
    config = DataConfig(faces=faces, light=0.3)
    picture = np.full_like(read_face(faces / "P000.png"), 0.5)
    lit = np.stack([crop_face(picture, 64, config, np.random.default_rng(seed)) for seed in range(20)])
    assert 0.5 * (1 - 0.31) < lit.min() < 0.42
    assert 0.58 < lit.max() < 0.5 * (1 + 0.31)
