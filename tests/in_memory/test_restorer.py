"""Pictures in memory are restored by a Restorer that loads its networks once."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

import vidrestore
from vidrestore.restoration import DaefrGenerator, FaceFeatures


def test_a_picture_has_its_faces_restored_and_nothing_else_changed(
    restorer: vidrestore.Restorer, pictures: list[NDArray[np.uint8]]
) -> None:
    result = restorer.image(pictures[0])
    assert result.picture.shape == pictures[0].shape
    assert result.picture.dtype == np.uint8
    (face,) = result.faces
    assert 0 <= face.drawn <= 1
    assert face.crop_before.shape == face.crop_after.shape == (256, 256, 3)
    assert 0.02 < result.mask.mean() < 0.3
    assert np.array_equal(result.picture[~result.mask], pictures[0][~result.mask])
    assert (result.picture != pictures[0])[result.mask].any(axis=-1).all()


def test_floats_keep_their_very_values_away_from_faces(
    restorer: vidrestore.Restorer, pictures: list[NDArray[np.uint8]]
) -> None:
    picture = (pictures[0] / 255.0 * 0.9 + 0.0123).astype(np.float32)
    result = restorer.image(picture)
    assert result.picture.dtype == np.float32
    assert np.array_equal(result.picture[~result.mask], picture[~result.mask])


def test_the_same_picture_gives_the_same_result_again(
    restorer: vidrestore.Restorer, pictures: list[NDArray[np.uint8]]
) -> None:
    first, second = (restorer.image(pictures[1]).picture for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.usefixtures("one_thread")
def test_aligned_faces_come_back_in_kind(restorer: vidrestore.Restorer) -> None:
    rng = np.random.default_rng(1)
    crops = [
        rng.integers(0, 256, (256, 256, 3)).astype(np.uint8),
        rng.random((512, 512, 3), np.float32),
        rng.integers(0, 65536, (77, 77, 3)).astype(np.uint16),
    ]
    results = restorer.aligned(crops)
    assert [r.shape for r in results] == [c.shape for c in crops]
    assert [r.dtype for r in results] == [c.dtype for c in crops]
    with pytest.raises(vidrestore.UsageError, match="at least 16"):
        restorer.aligned([np.zeros((8, 8, 3), np.uint8)])
    with pytest.raises(vidrestore.UsageError, match=r"\(100, 90, 3\)"):
        restorer.aligned([np.zeros((100, 90, 3), np.uint8)])
    from_a_generator = restorer.aligned(crop for crop in crops)
    for one, other in zip(from_a_generator, results, strict=True):
        assert np.array_equal(one, other)


def test_aligned_faces_that_do_not_fit_into_memory_together_are_restored_in_parts(
    restorer: vidrestore.Restorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    crops = list(np.random.default_rng(1).random((3, 256, 256, 3), np.float32))
    expected, encode, batches = restorer.aligned(crops), DaefrGenerator.encode, []

    def encode_few(self: DaefrGenerator, faces: list[NDArray[np.float32]]) -> list[FaceFeatures]:
        batches.append(len(faces))
        if len(faces) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return encode(self, faces)

    monkeypatch.setattr(DaefrGenerator, "encode", encode_few)
    for ours, theirs in zip(restorer.aligned(crops), expected, strict=True):
        assert np.abs(ours - theirs).max() < 4 / 255  # kernels depend on the size of a batch
    assert batches == [3, 1, 1, 1]


@pytest.mark.parametrize(
    ("crops", "sentence"),
    [
        (None, "aligned takes a list of faces, got builtins.NoneType"),
        ([None], "an aligned face is a NumPy array"),
        ("faces", "an aligned face is a NumPy array"),
        (np.zeros((32, 32, 3), np.uint8), "got one array of shape"),
        ([np.full((32, 32, 3), np.nan, np.float32)], "finite numbers only"),
        ([np.full((32, 32, 3), 255, np.float32)], "numbers from 0 to 1, got 255 to 255"),
    ],
)
def test_what_is_no_aligned_face_is_refused(restorer: vidrestore.Restorer, crops: Any, sentence: str) -> None:
    with pytest.raises(vidrestore.UsageError, match=sentence):
        restorer.aligned(crops)


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((4, 4), np.float64),
        np.full((4, 4), np.nan, np.float32),
        np.full((4, 4), 200, np.float32),
        np.full((4, 4), -1, np.float32),
        Image.new("RGB", (4, 4)),
    ],
)
def test_an_argument_that_is_no_picture_is_refused(restorer: vidrestore.Restorer, picture: Any) -> None:
    with pytest.raises(vidrestore.UsageError, match="a picture"):
        restorer.image(picture)


def test_settings_that_concern_files_are_refused() -> None:
    with pytest.raises(vidrestore.UsageError, match="codec: for files only"):
        vidrestore.Restorer(codec="h264")


def test_a_notebook_shows_the_picture_before_and_after(
    restorer: vidrestore.Restorer, pictures: list[NDArray[np.uint8]]
) -> None:
    result = restorer.image(pictures[0])
    shown = cv2.imdecode(np.frombuffer(result._repr_png_(), np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    assert np.array_equal(shown[..., ::-1], np.concatenate([pictures[0], result.picture], axis=1))
