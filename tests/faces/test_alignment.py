"""Five points give the similarity exactly, and pictures follow it to a fraction of a pixel."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.frames import make_frame, random_frame
from vidrestore.colour.yuv_rgb import rgb_region
from vidrestore.faces.alignment import (
    CROP_SIZES,
    CROP_TOLERANCE,
    align,
    crop_size,
    invert_affine,
    sharpness,
    similarity,
    similarity_scale,
    template,
    transform_points,
    warp_face,
)
from vidrestore.types import FrameFaces, TrackedFace


@settings(deadline=None)
@given(st.floats(-3.1, 3.1), st.floats(0.05, 20), st.floats(-500, 500), st.floats(-500, 500))
def test_a_turned_scaled_shifted_template_is_turned_back_exactly(
    angle: float, scale: float, dx: float, dy: float
) -> None:
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = template(256) @ turn.T + [dx, dy]
    matrix = similarity(points, 256)
    assert np.allclose(transform_points(matrix, points), template(256), atol=1e-6)
    assert similarity_scale(matrix) == pytest.approx(1 / scale)
    assert np.allclose(transform_points(invert_affine(matrix), template(256)), points, atol=1e-6)


def test_a_mirrored_face_is_not_reflected() -> None:
    mirrored = template(256) * [-1, 1]
    assert np.linalg.det(similarity(mirrored, 256)[:, :2]) > 0


def test_points_that_coincide_are_refused() -> None:
    with pytest.raises(ValueError, match="coincide"):
        similarity(np.ones((5, 2), np.float32), 256)


def test_a_ramp_is_warped_to_the_values_of_its_places() -> None:
    y, x = np.mgrid[0:200, 0:300]
    frame = make_frame(
        [(x // 2).astype(np.uint8), (y // 2).astype(np.uint8), np.zeros((200, 300), np.uint8)], "gbrp"
    )
    points = template(100) @ (1.2 * np.array([[0.96, -0.28], [0.28, 0.96]])) + [80, 30]
    matrix = similarity(points, 100)
    crop = warp_face(frame, matrix, 100)
    v, u = np.mgrid[0:100, 0:100]
    places = transform_points(
        invert_affine(matrix), np.stack([u.ravel(), v.ravel()], 1).astype(float)
    ).reshape(100, 100, 2)
    inside = slice(10, 90)
    assert np.abs(crop[inside, inside, 1] * 255 - (places[inside, inside, 0] / 2 - 0.25)).max() < 0.6
    assert np.abs(crop[inside, inside, 2] * 255 - (places[inside, inside, 1] / 2 - 0.25)).max() < 0.6


def test_planes_are_warped_as_their_pixels_are_together() -> None:
    frame = random_frame("gbrp", 160, 120)
    matrix = similarity(template(60) + np.array([50, 30]), 100)
    together = cv2.warpAffine(
        rgb_region(frame, 0, 0, 160, 120),
        matrix,
        (100, 100),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    assert warp_face(frame, matrix, 100) == pytest.approx(np.clip(together, 0, 1), abs=1e-6)


@pytest.mark.parametrize("shift", [(-400, 0), (0, 900), (-60, -60), (250, 150)])
def test_a_face_partly_or_wholly_off_the_frame_repeats_the_border(shift: tuple[int, int]) -> None:
    frame = make_frame([np.full((200, 300), 77, np.uint8)], "gray")
    crop = warp_face(frame, similarity(template(128) + shift, 64), 64)
    assert crop.shape == (64, 64, 3)
    assert np.allclose(crop, crop[0, 0], atol=1e-4)


def test_fine_detail_becomes_grey_when_shrunk_and_no_moire() -> None:
    board = ((np.indices((512, 512)).sum(0) % 2) * 200).astype(np.uint8)
    frame = make_frame([board], "gray")
    crop = warp_face(frame, similarity(template(512), 128), 128)
    assert crop[8:-8, 8:-8].std() < 0.01


def test_one_frame_comes_out_for_each_frame_in() -> None:
    frame = make_frame([np.full((100, 100), 77, np.uint8)], "gray")
    face = TrackedFace(
        track_id=3,
        box=np.array([0, 0, 99, 99], np.float32),
        landmarks=template(100).astype(np.float32),
        score=1.0,
        observed=True,
        opacity=0.5,
    )
    items = [FrameFaces(frame=frame, faces=(face,) * n, scene=n) for n in (0, 2, 1)]
    out = [align(item, 32) for item in items]
    assert [len(item.faces) for item in out] == [0, 2, 1]
    assert [item.scene for item in out] == [0, 2, 1]
    assert out[1].faces[0].image.shape == (32, 32, 3)
    assert (out[1].faces[0].track_id, out[1].faces[0].opacity) == (3, 0.5)


@pytest.mark.parametrize(
    ("pixels", "size"),
    [
        (17, 256),
        (200, 256),
        (256, 256),
        (290, 256),
        (300, 384),
        (500, 512),
        (512, 512),
        (700, 768),
        (1024, 1024),
        (4000, 1024),
    ],
)
def test_a_crop_is_as_large_as_the_face(pixels: int, size: int) -> None:
    """`pixels`: of the frame that the crop covers, a side."""
    assert crop_size(similarity(template(pixels), 256), 256) == size


@settings(deadline=None)
@given(st.floats(10, 3000), st.sampled_from([128, 256, 512, 1024, 2048]))
def test_no_crop_reduces_a_face_by_more_than_it_must(pixels: float, smallest: int) -> None:
    size = crop_size(similarity(template(1) * pixels, smallest), smallest)
    assert size in {smallest, *CROP_SIZES}
    assert size >= smallest
    assert size * CROP_TOLERANCE >= pixels * (1 - 1e-9) or size == max(smallest, CROP_SIZES[-1])
    smaller = [s for s in (smallest, *CROP_SIZES) if smallest <= s < size]
    assert all(s * CROP_TOLERANCE < pixels * (1 + 1e-9) for s in smaller)


@pytest.mark.parametrize(("own_size", "size"), [(False, 256), (True, 512)])
def test_large_faces_are_cut_out_at_their_own_size_if_requested(own_size: bool, size: int) -> None:
    frame = random_frame("gray", 560, 540)
    face = TrackedFace(
        track_id=0,
        box=np.array([0, 0, 500, 500], np.float32),
        landmarks=(template(500) + 20).astype(np.float32),
        score=1.0,
        observed=True,
    )
    (aligned,) = align(FrameFaces(frame=frame, faces=(face,)), 256, own_size=own_size).faces
    assert aligned.image.shape == (size, size, 3)
    assert transform_points(aligned.to_crop, face.landmarks) == pytest.approx(template(size), abs=1e-3)


def test_blur_brings_sharpness_down() -> None:
    face = np.random.default_rng(1).random((128, 128, 3), np.float32)
    blurred = np.asarray(cv2.GaussianBlur(face, (0, 0), 2))
    assert sharpness(np.asarray(blurred, np.float32)) < 0.2 * sharpness(face)
