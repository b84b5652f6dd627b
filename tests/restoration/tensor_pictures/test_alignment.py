"""Faces are cut out on a device as with OpenCV, from frames of any format."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.framed_faces import (
    COLOURS,
    FORMATS,
    HEIGHT,
    ORIENTATIONS,
    WIDTH,
    frame_of,
    frame_of_picture,
    landmarks_of,
)
from vidrestore.faces.alignment import align, face_to_crop, similarity_scale, transform_points, warp_face
from vidrestore.restoration.tensor_pictures import planes
from vidrestore.restoration.tensor_pictures.alignment import align_on_device, warp_faces
from vidrestore.restoration.tensor_pictures.pictures import TensorAlignedFace
from vidrestore.types import (
    ColourTags,
    FloatArray,
    Frame,
    FrameFaces,
    Orientation,
    PixelFormat,
    TrackedFace,
)

CPU = torch.device("cpu")
CODE = 1 / 255
YUV420 = PixelFormat(name="any", family="yuv", bit_depth=8, chroma_shift=(1, 1))
RGB = PixelFormat(name="any", family="rgb", bit_depth=16)


def cut_out(frame: Frame, to_crop: np.ndarray, side: int) -> FloatArray:
    (crop,) = warp_faces(frame, [(to_crop, side)], CPU)
    assert crop.shape == (3, side, side)
    return np.asarray(crop.permute(1, 2, 0).numpy(), np.float32)


def noise_frame(form: PixelFormat, colour: ColourTags, orientation: Orientation, seed: int) -> Frame:
    """The hardest picture: each sample has any code, so that a position that is wrong shows."""
    noise = np.random.default_rng(seed).random((HEIGHT, WIDTH, 3), np.float32)
    return frame_of_picture(noise, form, colour, orientation)


def tracked(landmarks: FloatArray, track: int = 0) -> TrackedFace:
    box = np.array([*landmarks.min(0), *landmarks.max(0)], np.float32)
    return TrackedFace(track_id=track, box=box, landmarks=landmarks, score=1.0, observed=True, opacity=0.5)


@settings(max_examples=100, deadline=None)
@given(
    form=FORMATS,
    colour=COLOURS,
    orientation=ORIENTATIONS,
    side=st.sampled_from([64, 96]),
    centre=st.tuples(st.floats(-60, WIDTH + 60), st.floats(-60, HEIGHT + 60)),
    angle=st.floats(-3.2, 3.2),
    reach=st.floats(8, 500),
    seed=st.integers(0, 50),
)
def test_a_face_is_cut_out_as_with_opencv(
    form: PixelFormat,
    colour: ColourTags,
    orientation: Orientation,
    side: int,
    centre: tuple[float, float],
    angle: float,
    reach: float,
    seed: int,
) -> None:
    """Also at the edge and outside of the frame, turned, upside down, smaller and larger than the crop."""
    frame = noise_frame(form, colour, orientation, seed)
    to_crop = face_to_crop(frame, landmarks_of(centre, angle, reach), side)
    assert np.abs(cut_out(frame, to_crop, side) - warp_face(frame, to_crop, side)).max() < 0.02 * CODE


@settings(max_examples=30, deadline=None)
@given(
    form=st.sampled_from([YUV420, RGB]),
    angle=st.floats(-3.2, 3.2),
    reach=st.floats(20, 70),
    x=st.floats(60, 90),
    y=st.floats(55, 75),
)
def test_a_ramp_is_cut_out_as_the_values_of_its_places(
    form: PixelFormat, angle: float, reach: float, x: float, y: float
) -> None:
    """Without OpenCV: which place of the frame a pixel of the crop shows."""
    across, down = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    ramp = np.stack([across / 255, np.full(across.shape, 128 / 255), np.full(across.shape, 128 / 255)], 2)
    if form.family == "rgb":  # G B R
        ramp = np.stack([down / 255, across / 255, across / 255], 2)
    frame = frame_of_picture(ramp.astype(np.float32), form, ColourTags(full_range=True))
    to_crop = face_to_crop(frame, landmarks_of((x, y), angle, reach), 64)
    to_frame = np.linalg.inv(np.vstack([to_crop, [0, 0, 1]]))[:2]
    v, u = np.mgrid[0:64, 0:64]
    places = transform_points(to_frame, np.stack([u.ravel(), v.ravel()], 1).astype(float)).reshape(64, 64, 2)
    crop = cut_out(frame, to_crop, 64) * 255
    assert np.abs(crop[..., 0] - places[..., 0]).max() < 0.1  # positions are rounded to a 32nd of a pixel
    if form.family == "rgb":
        assert np.abs(crop[..., 1] - places[..., 1]).max() < 0.1


def test_a_face_turned_by_half_a_turn_is_the_turned_crop() -> None:
    frame = frame_of(RGB, ColourTags(full_range=True), Orientation(), 1)
    points = landmarks_of((75, 65), 0.3, 60)
    upright = face_to_crop(frame, points, 64)
    half_turn = np.array([[-1.0, 0, 63], [0, -1, 63]]) @ np.vstack([upright, [0, 0, 1]])
    turned = cut_out(frame, half_turn, 64)[::-1, ::-1]
    assert np.abs(turned - cut_out(frame, upright, 64)).max() < 4 * CODE  # positions are rounded


@pytest.mark.parametrize("distance", [(-4000, 0), (0, 9000), (-60, -60), (400, 400)])
def test_a_face_outside_of_the_frame_shows_its_border(distance: tuple[int, int]) -> None:
    grey = PixelFormat(name="any", family="gray", bit_depth=8)
    frame = frame_of_picture(
        np.full((HEIGHT, WIDTH, 3), 77 / 255, np.float32), grey, ColourTags(full_range=True)
    )
    crop = cut_out(frame, face_to_crop(frame, landmarks_of(distance, 0.1, 64), 64), 64)
    assert np.abs(crop - 77 / 255).max() < 1e-5


@pytest.mark.parametrize("siting", range(7))
@pytest.mark.parametrize("shift", [(1, 1), (1, 0), (2, 0), (2, 2), (0, 1)])
def test_the_chroma_siting_of_the_frame_is_respected(siting: int, shift: tuple[int, int]) -> None:
    form = PixelFormat(name="any", family="yuv", bit_depth=8, chroma_shift=shift)
    frame = noise_frame(form, ColourTags(siting=siting), Orientation(), siting)
    for reach in (30, 140):
        to_crop = face_to_crop(frame, landmarks_of((75, 65), 0.2, reach), 64)
        assert np.abs(cut_out(frame, to_crop, 64) - warp_face(frame, to_crop, 64)).max() < 0.02 * CODE


@pytest.mark.parametrize("family", ["yuv", "rgb", "gray"])
@pytest.mark.parametrize(("reach", "is_whole"), [(30, False), (120, True)])
def test_the_samples_of_all_faces_are_copied_to_the_device_in_one_copy(
    family: str, reach: float, is_whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = PixelFormat(
        name="any",
        family=family,
        bit_depth=10,
        chroma_shift=(1, 1) if family == "yuv" else (0, 0),  # type: ignore[arg-type]
    )
    frame = noise_frame(form, ColourTags(), Orientation(), 1)
    copied: list[np.ndarray] = []
    pack = planes.pack
    monkeypatch.setattr(planes, "pack", lambda arrays, where: copied.extend(arrays) or pack(arrays, where))
    crops = [(face_to_crop(frame, landmarks_of((50 + 30 * n, 60), 0.4 * n, reach), 64), 64) for n in range(3)]
    found = warp_faces(frame, crops, CPU)
    (codes,) = copied
    assert codes.itemsize == 2
    of_frame = sum(plane.size for plane in frame.planes)
    assert codes.size == of_frame if is_whole else codes.size < of_frame
    for crop, (to_crop, side) in zip(found, crops, strict=True):
        expected = warp_face(frame, to_crop, side)
        assert np.abs(crop.permute(1, 2, 0).numpy() - expected).max() < 0.02 * CODE


@pytest.mark.parametrize("own_size", [False, True])
def test_the_faces_of_a_frame_are_aligned_as_by_opencv(own_size: bool) -> None:
    frame = frame_of(YUV420, ColourTags(), Orientation(turn=90), 2)
    faces = tuple(tracked(landmarks_of((50 + 40 * n, 60), n, 40 + 60 * n), n) for n in range(3))
    item = FrameFaces(frame=frame, faces=faces, scene=3)
    expected = align(item, 64, own_size=own_size)
    found = align_on_device(item, 64, device=CPU, own_size=own_size)
    assert found.frame is frame
    assert found.scene == 3
    for one, other in zip(expected.faces, found.faces, strict=True):
        assert isinstance(other, TensorAlignedFace)
        assert np.array_equal(one.to_crop, other.to_crop)
        assert (one.track_id, one.opacity) == (other.track_id, other.opacity)
        assert other.image.shape == one.image.shape
        assert np.abs(other.crop.permute(1, 2, 0).numpy() - one.image).max() < 0.02 * CODE


def test_faces_of_hdr_frames_are_aligned_by_opencv() -> None:
    frame = frame_of(replace(YUV420, bit_depth=10), ColourTags(transfer=16), Orientation(), 2)
    item = FrameFaces(frame=frame, faces=(tracked(landmarks_of((70, 60), 0, 60)),))
    (found,) = align_on_device(item, 64, device=CPU).faces
    assert not isinstance(found, TensorAlignedFace)
    assert np.array_equal(found.image, align(item, 64).faces[0].image)


def test_a_frame_without_faces_copies_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planes, "pack", None)
    item: FrameFaces[TrackedFace] = FrameFaces(frame=frame_of(RGB, ColourTags(), Orientation(), 1), faces=())
    assert align_on_device(item, 64, device=CPU).faces == ()


def test_the_tested_crops_both_enlarge_and_reduce_faces() -> None:
    frame = frame_of(RGB, ColourTags(), Orientation(), 1)
    scales = [similarity_scale(face_to_crop(frame, landmarks_of((75, 65), 0, r), 64)) for r in (8, 500)]
    assert scales[0] > 7
    assert scales[1] < 1 / 7
