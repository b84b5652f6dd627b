"""Faces are composited on a device as with OpenCV: at most one code apart, and none outside of the face."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.support.framed_faces import (
    COLOURS,
    FORMATS,
    HEIGHT,
    ORIENTATIONS,
    WIDTH,
    frame_of,
    frame_of_picture,
    landmarks_of,
    soft_noise,
)
from vidrestore.colour.hdr import HLG, LINEAR, PQ
from vidrestore.faces.alignment import face_to_crop, warp_face
from vidrestore.faces.compositing import composite, head_mask
from vidrestore.faces.crop_place import region_of
from vidrestore.faces.finer_noise import removed_share
from vidrestore.restoration.tensor_pictures.compositing import composite_tensors
from vidrestore.restoration.tensor_pictures.pictures import TensorFace
from vidrestore.settings import Grain
from vidrestore.types import (
    AlignedFace,
    ColourTags,
    FloatArray,
    Frame,
    FrameFaces,
    Orientation,
    PixelFormat,
    RestoredFace,
)

ALL_COLOURS = st.builds(
    lambda colour, transfer: replace(colour, transfer=transfer),
    COLOURS,
    st.sampled_from([2, PQ, HLG, LINEAR]),
)


def restored(
    frame: Frame, *, side: int, centre: tuple[float, float], angle: float, reach: float, seed: int
) -> RestoredFace:
    """A face of `reach` pixels in the frame, anywhere in it and beyond its edges."""
    landmarks = landmarks_of(centre, angle, reach)
    to_crop = face_to_crop(frame, landmarks, side)
    original = warp_face(frame, to_crop, side)
    estimate = (original + 0.3 * (soft_noise(side, side, seed + 1, 4) - 0.5)).clip(0, 1)
    image = (estimate + 0.3 * (soft_noise(side, side, seed + 2) - 0.5)).clip(0, 1)
    return RestoredFace(
        track_id=seed,
        to_crop=to_crop,
        image=np.asarray(image, np.float32),
        estimate=np.asarray(estimate, np.float32),
        original=original,
        landmarks=landmarks,
        gain=1.1 if seed % 2 else 1.0,
        opacity=0.7 if seed % 3 else 1.0,
    )


def aligned(face: RestoredFace) -> AlignedFace:
    return AlignedFace(
        track_id=face.track_id,
        to_crop=face.to_crop,
        image=face.original,
        landmarks=face.landmarks,
        opacity=face.opacity,
        gain=face.gain,
        treatment=face.treatment,
    )


def tensor_face(face: RestoredFace) -> TensorFace:
    return TensorFace(
        place=aligned(face),
        image=tensor(face.image),
        estimate=None if face.estimate is None else tensor(face.estimate),
        original=tensor(face.original),
        drawn=face.drawn,
    )


def tensor(picture: FloatArray) -> Tensor:
    return torch.from_numpy(picture).permute(2, 0, 1)


def both_ways(frame: Frame, faces: list[RestoredFace], strength: float, grain: Grain) -> tuple[Frame, Frame]:
    expected = composite(FrameFaces(frame=frame, faces=tuple(faces)), strength=strength, grain=grain)
    return expected, composite_tensors(frame, list(map(tensor_face, faces)), strength=strength, grain=grain)


def allowed_codes(frame: Frame) -> int:
    """One code; in linear light of 16 bits, one of 10 bits: highlights are up to 80 times as bright as white,
    and float32 has not enough digits for both."""
    return 64 if frame.colour.transfer == LINEAR and frame.format.bit_depth == 16 else 1


def check_same(expected: Frame, found: Frame, frame: Frame, faces: list[RestoredFace]) -> None:
    for index, (one, other, before) in enumerate(
        zip(expected.planes, found.planes, frame.planes, strict=True)
    ):
        difference = np.abs(one.astype(int) - other.astype(int))
        assert difference.max() <= allowed_codes(frame), (index, difference.max())
        assert other.dtype == before.dtype
        outside = np.ones(before.shape, bool)
        right, down = frame.format.chroma_shift if index in (1, 2) else (0, 0)
        for face in faces:
            region = region_of(head_mask(face.image.shape[0]), face.to_crop, frame)
            if region is not None:
                x0, y0, x1, y1 = region
                outside[y0 >> down : (y1 >> down) + 1, x0 >> right : (x1 >> right) + 1] = False
        assert np.array_equal(other[outside], before[outside])


@settings(max_examples=60, deadline=None)
@given(
    form=FORMATS,
    colour=ALL_COLOURS,
    orientation=ORIENTATIONS,
    side=st.sampled_from([64, 96]),
    centre=st.tuples(st.floats(-10, WIDTH + 10), st.floats(-10, HEIGHT + 10)),
    angle=st.floats(-3.2, 3.2),
    reach=st.floats(30, 140),
    strength=st.sampled_from([1.0, 0.6]),
    grain=st.sampled_from(["auto", 0.0, 1.0]),
    is_drawn=st.booleans(),
    seed=st.integers(0, 50),
)
def test_a_face_is_composited_as_with_opencv(
    form: PixelFormat,
    colour: ColourTags,
    orientation: Orientation,
    side: int,
    centre: tuple[float, float],
    angle: float,
    reach: float,
    strength: float,
    grain: Grain,
    is_drawn: bool,
    seed: int,
) -> None:
    frame = frame_of(form, colour, orientation, seed)
    face = restored(frame, side=side, centre=centre, angle=angle, reach=reach, seed=seed)
    if is_drawn:
        face = replace(face, estimate=None)
    expected, found = both_ways(frame, [face], strength, grain)
    check_same(expected, found, frame, [face])


@settings(max_examples=15, deadline=None)
@given(
    form=FORMATS,
    colour=ALL_COLOURS,
    shift=st.floats(0, 60),
    grain=st.sampled_from(["auto", 0.0]),
    is_drawn=st.booleans(),
)
def test_overlapping_faces_share_the_frame_as_with_opencv(
    form: PixelFormat, colour: ColourTags, shift: float, grain: Grain, is_drawn: bool
) -> None:
    frame = frame_of(form, colour, Orientation(), 3)
    faces = [
        restored(frame, side=64, centre=(60 + n * shift, 60), angle=0.2 * n, reach=60 + 20 * n, seed=n)
        for n in range(3)
    ]
    if is_drawn:
        faces = [replace(face, estimate=None) for face in faces]
    expected, found = both_ways(frame, faces, 1.0, grain)
    check_same(expected, found, frame, faces)


@settings(max_examples=30, deadline=None)
@given(
    form=FORMATS,
    colour=ALL_COLOURS,
    place=st.tuples(st.integers(5, 50), st.integers(5, 50)),
    angle=st.floats(-3.2, 3.2),
    reach=st.floats(30, 140),
    seed=st.integers(0, 50),
)
def test_a_face_that_was_changed_in_one_place_is_composited_as_with_opencv(
    form: PixelFormat, colour: ColourTags, place: tuple[int, int], angle: float, reach: float, seed: int
) -> None:
    """Positions are rounded from the corner of a region: it must not depend on where the face has changed."""
    frame = frame_of(form, colour, Orientation(), seed)
    face = restored(frame, side=64, centre=(70, 60), angle=angle, reach=reach, seed=seed)
    assert face.estimate is not None
    changed = np.zeros((64, 64, 1), np.float32)
    changed[place[0] : place[0] + 20, place[1] : place[1] + 20] = 1
    part = replace(
        face,
        gain=1.0,
        image=face.original + changed * (face.image - face.original),
        estimate=face.original + changed * (face.estimate - face.original),
    )
    expected, found = both_ways(frame, [part], 1.0, 0.0)
    check_same(expected, found, frame, [part])


@settings(max_examples=40, deadline=None)
@given(
    form=FORMATS,
    colour=COLOURS,
    orientation=ORIENTATIONS,
    angle=st.floats(-3.2, 3.2),
    reach=st.floats(25, 140),
    count=st.sampled_from([1, 2]),
    strength=st.sampled_from([1.0, 0.6]),
    grain=st.sampled_from(["auto", 0.0, 1.0]),
    seed=st.integers(0, 50),
)
def test_noise_finer_than_the_crop_is_removed_as_with_opencv(
    form: PixelFormat,
    colour: ColourTags,
    orientation: Orientation,
    angle: float,
    reach: float,
    count: int,
    strength: float,
    grain: Grain,
    seed: int,
) -> None:
    noise = 0.05 * np.random.default_rng(seed).normal(size=(HEIGHT, WIDTH, 3))
    picture = np.asarray((soft_noise(HEIGHT, WIDTH, seed, 4) + noise).clip(0, 1), np.float32)
    frame = frame_of_picture(picture, form, colour, orientation)
    faces = []
    for number in range(count):
        face = restored(frame, side=64, centre=(70 + 9 * number, 60), angle=angle, reach=reach, seed=seed)
        clean = np.asarray(cv2.GaussianBlur(face.original, (0, 0), 3), np.float32)
        faces.append(replace(face, estimate=clean, image=clean, gain=1.0))
        if reach < 64 / 0.85:
            assert removed_share(face.original, clean, 64 / reach)[20:44, 20:44].max() > 0.5
    expected, found = both_ways(frame, faces, strength, grain)
    check_same(expected, found, frame, faces)


@pytest.mark.parametrize("bit_depth", [8, 10, 16])
def test_a_face_that_was_not_changed_changes_no_code(bit_depth: int) -> None:
    form = PixelFormat(name="any", family="yuv", bit_depth=bit_depth, chroma_shift=(1, 1))
    frame = frame_of(form, ColourTags(), Orientation(), 1)
    face = restored(frame, side=64, centre=(70, 60), angle=0.1, reach=80, seed=1)
    same = replace(face, image=face.original, estimate=face.original, gain=1.0)
    found = composite_tensors(frame, [tensor_face(same)], grain=0.0)
    assert all(np.array_equal(a, b) for a, b in zip(found.planes, frame.planes, strict=True))


def test_without_strength_or_opacity_the_frame_itself_is_returned() -> None:
    form = PixelFormat(name="any", family="yuv", bit_depth=8, chroma_shift=(1, 1))
    frame = frame_of(form, ColourTags(), Orientation(), 1)
    face = restored(frame, side=64, centre=(70, 60), angle=0.1, reach=80, seed=1)
    assert composite_tensors(frame, [tensor_face(face)], strength=0.0) is frame
    assert composite_tensors(frame, [tensor_face(replace(face, opacity=0.0))]) is frame
    assert composite_tensors(frame, []) is frame
