"""Faces are restored with tensors as with arrays, and pictures stay on the device."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import cv2
import numpy as np
import pytest
import torch

from tests.support.evidence import tiny_network
from tests.support.restorers import envelope
from vidrestore.daefr import COMPACT, Daefr
from vidrestore.evidence import TwoSizeEvidence
from vidrestore.faces.alignment import align
from vidrestore.restoration import DaefrGenerator, NetworkRestorer, TemporalBlend, restore
from vidrestore.restoration.estimator import Estimator
from vidrestore.restoration.stage import restored_states
from vidrestore.restoration.tensor_pictures.alignment import align_on_device
from vidrestore.restoration.tensor_pictures.choice import LEAST_FREE_BYTES, align_for, restorer_for_device
from vidrestore.restoration.tensor_pictures.finished_faces import composite_on_device
from vidrestore.restoration.tensor_pictures.pictures import TensorAlignedFace, empty_picture
from vidrestore.restoration.tensor_pictures.restorer import TensorRestorer
from vidrestore.settings.sidecar import FaceTreatment
from vidrestore.types import AlignedFace, FloatArray, FrameFaces

CPU = torch.device("cpu")
CODE = 1 / 255


@pytest.fixture(scope="module")
def network() -> NetworkRestorer:
    torch.manual_seed(0)
    generator = DaefrGenerator(Daefr(COMPACT).eval().requires_grad_(False), device=CPU, with_detail=True)
    estimator = Estimator(TwoSizeEvidence(tiny_network()), device=CPU, precision=torch.float32)
    return NetworkRestorer(CPU, estimator, generator)


def face(side: int, shift: float = 0) -> FloatArray:
    wide = np.random.default_rng(1).random((side, side, 3), np.float32)
    soft = 0.5 + 4 * (cv2.GaussianBlur(wide, (0, 0), 8) - 0.5)
    moved = cv2.warpAffine(soft, np.array([[1, 0, shift], [0, 1.0, 0]]), (side, side))
    return np.asarray(moved.clip(0, 1), np.float32)


def frames(count: int, side: int) -> list[FrameFaces[AlignedFace]]:
    items = []
    for index in range(count):
        item = envelope(index, {0: 0.5}, size=side)
        items.append(replace(item, faces=(replace(item.faces[0], image=face(side, index / 2)),)))
    return items


@pytest.mark.parametrize("strength", [0.0, 1.0])
@pytest.mark.parametrize("side", [256, 384])
def test_a_clip_is_restored_as_with_arrays(network: NetworkRestorer, strength: float, side: int) -> None:
    blend = TemporalBlend(strength=strength)
    with_arrays = list(restore(frames(2, side), network, blend, batch=2))
    with_tensors = list(restore(frames(2, side), TensorRestorer(network), blend, batch=2))
    for expected, found in zip(with_arrays, with_tensors, strict=True):
        for one, other in zip(expected.faces, found.faces, strict=True):
            assert one.estimate is not None
            assert other.estimate is not None
            check_close(one.estimate, other.estimate)
            check_close(one.image, other.image)
            assert one.drawn == pytest.approx(other.drawn, abs=1e-3)


def check_close(expected: FloatArray, found: FloatArray) -> None:
    """A grey that rounds to the other side changes the flow, and so the pixels around it, by a little."""
    difference = np.abs(expected - found)
    assert np.percentile(difference, 99) < 0.1 * CODE
    assert difference.max() < 8 * CODE


def test_crops_on_the_device_are_restored_as_arrays(network: NetworkRestorer) -> None:
    blend, items = TemporalBlend(strength=0.0), frames(2, 256)
    # As in a film whose second frame is HDR.
    mixed = [replace(items[0], faces=(on_device(items[0].faces[0]),)), items[1]]
    expected = list(restore(items, TensorRestorer(network), blend, batch=2))
    found = list(restore(mixed, TensorRestorer(network), blend, batch=2))
    for one, other in zip(expected, found, strict=True):
        assert np.array_equal(one.faces[0].image, other.faces[0].image)
        assert np.array_equal(one.faces[0].original, other.faces[0].original)


def test_composited_crops_of_a_device_need_no_arrays(network: NetworkRestorer) -> None:
    item = frames(1, 256)[0]
    blend = TemporalBlend(strength=0.0)
    (expected,) = restored_states([item], TensorRestorer(network), blend)
    (found,) = restored_states(
        [replace(item, faces=(on_device(item.faces[0]),))], TensorRestorer(network), blend
    )
    one, other = (composite_on_device(states, strength=1.0, grain="auto") for states in (expected, found))
    assert one is not None
    assert other is not None
    assert all(np.array_equal(a, b) for a, b in zip(one[0].planes, other[0].planes, strict=True))


def on_device(face: AlignedFace) -> TensorAlignedFace:
    return TensorAlignedFace(
        track_id=face.track_id,
        to_crop=face.to_crop,
        image=empty_picture(face.image.shape[0]),
        landmarks=face.landmarks,
        opacity=face.opacity,
        treatment=face.treatment,
        crop=torch.from_numpy(face.image).permute(2, 0, 1),
    )


def test_faces_of_several_sizes_and_treatments_are_restored_together(network: NetworkRestorer) -> None:
    def item() -> FrameFaces[AlignedFace]:
        faces = []
        for track, (side, fidelity) in enumerate([(256, 0.5), (384, 0.5), (256, 0.9), (256, 0.5)]):
            (one,) = frames(1, side)[0].faces
            how = FaceTreatment(strength=1.0, fidelity=fidelity, grain="auto")
            faces.append(replace(one, track_id=track, image=face(side, track), treatment=how))
        return replace(frames(1, 256)[0], faces=tuple(faces))

    blend = TemporalBlend(strength=0)
    (expected,) = restore([item()], network, blend, batch=4)
    (found,) = restore([item()], TensorRestorer(network), blend, batch=4)
    for one, other in zip(expected.faces, found.faces, strict=True):
        assert one.track_id == other.track_id
        assert np.abs(one.image - other.image).max() < CODE


def test_without_an_estimator_faces_are_drawn_as_a_whole(network: NetworkRestorer) -> None:
    plain, blend = replace(network, estimator=None), TemporalBlend(strength=1)
    expected = list(restore(frames(2, 256), plain, blend, batch=2))
    found = list(restore(frames(2, 256), TensorRestorer(plain), blend, batch=2))
    for one, other in zip(expected, found, strict=True):
        assert np.abs(one.faces[0].image - other.faces[0].image).max() < 0.5 * CODE


def test_faces_are_cut_out_where_they_are_needed(network: NetworkRestorer) -> None:
    tensors = TensorRestorer(network)
    assert align_for(network, needs_arrays=False) is align
    assert align_for(tensors, needs_arrays=True) is align
    assert align_for(TensorRestorer(replace(network, estimator=None)), needs_arrays=False) is align
    on_its_device = align_for(tensors, needs_arrays=False)
    assert isinstance(on_its_device, partial)
    assert on_its_device.func is align_on_device
    assert on_its_device.keywords == {"device": CPU}


def test_pictures_stay_on_a_gpu_with_enough_memory_only(network: NetworkRestorer) -> None:
    assert restorer_for_device(network, None) is network
    gpu = replace(network, device=torch.device("cuda"))
    assert restorer_for_device(gpu, LEAST_FREE_BYTES - 1) is gpu
    assert isinstance(restorer_for_device(gpu, LEAST_FREE_BYTES), TensorRestorer)
