"""A frame's final states are composited where their pictures are, with the codes of OpenCV."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.restoration.tensor_pictures.test_compositing import aligned, restored, tensor
from tests.support.framed_faces import frame_of, soft_noise
from vidrestore.colour.hdr import HLG, PQ
from vidrestore.faces.change_mask import change_mask
from vidrestore.faces.compositing import composite
from vidrestore.restoration.face_estimate import FaceEstimate, FusedFace
from vidrestore.restoration.face_state import FaceState, FrameStates
from vidrestore.restoration.stage import restored_faces
from vidrestore.restoration.tensor_pictures import finished_faces
from vidrestore.restoration.tensor_pictures.finished_faces import composite_on_device
from vidrestore.restoration.tensor_pictures.pictures import (
    SmallGrey,
    TensorEstimate,
    TensorFused,
    TensorPicture,
)
from vidrestore.types import ColourTags, Frame, Orientation, PixelFormat, RestoredFace

GREY = SmallGrey(on_host=np.zeros((1, 1), np.uint8), on_device=torch.zeros(1, 1))
FORMATS = pytest.mark.parametrize(("depth", "transfer"), [(8, 1), (10, 1), (10, PQ), (12, HLG), (16, PQ)])


def frame_with(depth: int, transfer: int) -> Frame:
    form = PixelFormat(name="any", family="yuv", bit_depth=depth, chroma_shift=(1, 1))
    colour = ColourTags(matrix=9 if transfer != 1 else 1, primaries=9, transfer=transfer)
    return frame_of(form, colour, Orientation(), 4)


def drawn_state(face: RestoredFace, *, side: int, on_device: bool) -> FaceState:
    """A face of `--fidelity 0`, drawn at `side` pixels."""
    drawn = soft_noise(side, side, 9)
    there = TensorPicture(picture=tensor(drawn), grey=GREY)
    return FaceState(
        aligned=aligned(face),
        picture=np.clip(face.original * np.float32(face.gain), 0, 1),
        generated=there if on_device else drawn,
    )


def estimated_state(face: RestoredFace, *, on_device: bool) -> FaceState:
    assert face.estimate is not None
    picture, scale = np.clip(face.original * np.float32(face.gain), 0, 1), np.zeros((1, 1, 1), np.float32)
    if on_device:
        return FaceState(
            aligned=aligned(face),
            picture=picture,
            estimate=TensorEstimate(
                mean=tensor(face.estimate),
                scale=torch.zeros(1, 1, 1),
                given=tensor(picture),
                grey=GREY,
                change=torch.tensor(0.0),
                is_certain=False,
            ),
            fused=TensorFused(picture=tensor(face.image), drawn=0.25),
        )
    return FaceState(
        aligned=aligned(face),
        picture=picture,
        estimate=FaceEstimate(mean=face.estimate, scale=scale, change=0.0, is_certain=False),
        fused=FusedFace(picture=face.image, drawn=0.25),
    )


def check(frame: Frame, with_arrays: list[FaceState], with_tensors: list[FaceState]) -> None:
    """Codes, counts and masks are the same."""
    faces = restored_faces(FrameStates(frame=frame, faces=tuple(with_arrays), scene=0))
    expected = composite(faces, strength=0.9, grain="auto")
    done = composite_on_device(
        FrameStates(frame=frame, faces=tuple(with_tensors), scene=0), strength=0.9, grain="auto"
    )
    assert done is not None
    found, shown = done
    for one, other in zip(expected.planes, found.planes, strict=True):
        assert np.abs(one.astype(int) - other.astype(int)).max() <= 1
    assert any((a != b).any() for a, b in zip(found.planes, frame.planes, strict=True))
    assert [(f.track_id, f.drawn) for f in shown.faces] == [(f.track_id, f.drawn) for f in faces.faces]
    masks = [change_mask(item, frame, strength=0.9).planes[0] for item in (faces, shown)]
    assert np.array_equal(*masks)


@FORMATS
@pytest.mark.parametrize("gain", [1.0, 1.2])
@pytest.mark.parametrize("side", [64, 96])
def test_faces_that_are_drawn_as_a_whole(depth: int, transfer: int, gain: float, side: int) -> None:
    frame = frame_with(depth, transfer)
    face = replace(restored(frame, side=64, centre=(70, 60), angle=0.2, reach=80, seed=1), gain=gain)
    check(
        frame,
        [drawn_state(face, side=side, on_device=False)],
        [drawn_state(face, side=side, on_device=True)],
    )


@FORMATS
@pytest.mark.parametrize("count", [1, 2])
def test_faces_with_an_estimate(depth: int, transfer: int, count: int) -> None:
    frame = frame_with(depth, transfer)
    faces = [
        restored(frame, side=64, centre=(60 + 20 * n, 60), angle=0.2, reach=80, seed=n) for n in range(count)
    ]
    check(
        frame,
        [estimated_state(face, on_device=False) for face in faces],
        [estimated_state(face, on_device=True) for face in faces],
    )


def test_pictures_of_arrays_are_left_to_opencv() -> None:
    frame = frame_with(8, 1)
    face = restored(frame, side=64, centre=(70, 60), angle=0.2, reach=80, seed=1)
    for state in (drawn_state(face, side=64, on_device=False), estimated_state(face, on_device=False)):
        item = FrameStates(frame=frame, faces=(state,), scene=0)
        assert composite_on_device(item, strength=1.0, grain="auto") is None


def test_a_lack_of_memory_at_the_first_upload_is_answered_by_freeing(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = frame_with(8, 1)
    face = restored(frame, side=64, centre=(70, 60), angle=0.2, reach=80, seed=1)
    item = FrameStates(frame=frame, faces=(drawn_state(face, side=64, on_device=True),), scene=0)
    upload, failures = finished_faces.to_device, [torch.OutOfMemoryError("CUDA out of memory")]

    def upload_later(*arguments: object) -> torch.Tensor:
        if failures:
            raise failures.pop()
        return upload(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(finished_faces, "to_device", upload_later)
    assert composite_on_device(item, strength=1.0, grain="auto") is not None
    assert not failures
