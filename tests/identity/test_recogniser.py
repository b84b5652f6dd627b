"""The recogniser finds the same person in other frames, and its file holds the converted network."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.support.shared import ROOT, SHARED, needs_shared
from vidrestore.errors import WeightsError
from vidrestore.identity import (
    SAME_PERSON,
    FaceRecogniser,
    identity_angle,
    identity_distance,
    identity_similarity,
    make_recogniser,
)
from vidrestore.identity.checkpoint import load_recognition_network
from vidrestore.identity.chips import CENTRE_X, CENTRE_Y, SIDE, cut_chips
from vidrestore.types import FloatArray


@pytest.fixture(scope="module")
def recogniser() -> FaceRecogniser:
    return make_recogniser("cpu")


def read_face(path: Path, border: int = 0) -> FloatArray:
    picture = cv2.imread(str(path))
    assert picture is not None
    inner = picture[border : picture.shape[0] - border, border : picture.shape[1] - border, ::-1]
    return np.ascontiguousarray(inner, np.float32) / 255


def collins() -> list[FloatArray]:
    """The same woman in three frames of the sample's truth, aligned."""
    return [read_face(ROOT / "tests" / "golden" / f"old_film_truth_{index:03d}.jpg") for index in (4, 12, 20)]


def test_frames_of_one_person_are_the_same_person(recogniser: FaceRecogniser) -> None:
    first, *others = recogniser.describe(collins())
    assert all(identity_distance(first, other) < 0.5 * SAME_PERSON for other in others)


def test_a_face_is_described_alike_alone_and_in_a_batch_at_any_size(recogniser: FaceRecogniser) -> None:
    face = collins()[0]
    larger = np.asarray(cv2.resize(face, (512, 512), interpolation=cv2.INTER_CUBIC), np.float32)
    together = recogniser.describe([face, larger])
    assert identity_distance(together[0], recogniser.describe([face])[0]) < 1e-4
    assert identity_distance(together[0], together[1]) < 0.1
    assert recogniser.describe([]).shape == (0, 128)


def test_a_more_blurred_face_is_further_away(recogniser: FaceRecogniser) -> None:
    face = collins()[0]
    soft = np.asarray(cv2.GaussianBlur(face, (0, 0), 3), np.float32)
    softer = np.asarray(cv2.GaussianBlur(face, (0, 0), 9), np.float32)
    clean, *blurred = recogniser.describe([face, soft, softer])
    near, far = (identity_distance(clean, other) for other in blurred)
    assert 0 < near < far


@needs_shared
def test_people_find_their_own_second_photograph(recogniser: FaceRecogniser) -> None:
    people = sorted((SHARED / "faces").glob("london-*__london-neutral.jpg"))[:12]
    pairs = [(path, path.with_name(path.name.replace("neutral", "smiling"))) for path in people]
    pairs = [(first, second) for first, second in pairs if second.exists()]
    assert len(pairs) > 5
    firsts = recogniser.describe([read_face(first, 16) for first, _ in pairs])
    seconds = recogniser.describe([read_face(second, 16) for _, second in pairs])
    distances = np.linalg.norm(firsts[:, None] - seconds[None], axis=2)
    assert (distances.argmin(axis=1) == np.arange(len(pairs))).all()
    assert distances.diagonal().max() < SAME_PERSON


@needs_shared
def test_the_embedded_network_is_the_original(recogniser: FaceRecogniser) -> None:
    folder = SHARED / "models" / "recognition"
    spec = importlib.util.spec_from_file_location("original_recogniser", folder / "convert.py")
    assert spec is not None
    assert spec.loader is not None
    original = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(original)
    network = original.DlibResNet(torch.load(folder / "dlib_resnet.pt", weights_only=True)).eval()
    faces = collins()
    chips = original.chip_from_ffhq(
        torch.from_numpy(np.stack(faces)).permute(0, 3, 1, 2) * 255, fit=(0.5, 0.564, 0.85)
    )
    with torch.no_grad():
        expected = network(chips).numpy()
    assert np.abs(recogniser.describe(faces) - expected).max() < 1e-3


def test_the_crop_for_the_recogniser_covers_the_middle_of_the_face() -> None:
    rows, columns = np.mgrid[0:256, 0:256].astype(np.float32) / 255
    chip = cut_chips([np.stack([columns, rows, rows], axis=2)])[0].numpy()
    assert chip[0, :, 0].mean() == pytest.approx(CENTRE_X - SIDE / 2, abs=0.01)
    assert chip[0, :, -1].mean() == pytest.approx(CENTRE_X + SIDE / 2, abs=0.01)
    assert chip[1].mean() == pytest.approx(CENTRE_Y, abs=0.01)


def test_distances_have_their_closed_forms() -> None:
    along, across = np.zeros(128, np.float32), np.zeros(128, np.float32)
    along[0], across[1] = 3, 4
    assert identity_distance(along, across) == pytest.approx(5)
    assert identity_similarity(along, across) == 0
    assert identity_angle(along, across) == pytest.approx(90)
    assert identity_angle(along, 2 * along) == pytest.approx(0, abs=1e-6)
    assert identity_angle(along, -along) == pytest.approx(180)


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="recognition network"):
        load_recognition_network(tmp_path / "missing.safetensors")
    save_file({"stem.weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match="recognition network"):
        load_recognition_network(tmp_path / "other.safetensors")
