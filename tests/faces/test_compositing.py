"""Compositing changes the faces and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.frames import FORMATS, make_frame, random_frame
from vidrestore.faces.alignment import invert_affine, similarity, template, transform_points, warp_face
from vidrestore.faces.compositing import composite, face_mask, side_by_side
from vidrestore.types import Frame, FrameFaces, RestoredFace

SIZE = 64
POINTS = (template(60) + np.array([20, 10])).astype(np.float32)


def restored(frame: Frame, change: float | np.ndarray, points: np.ndarray = POINTS) -> RestoredFace:
    """A face whose restored picture is the original plus `change`."""
    to_crop = similarity(points, SIZE)
    original = warp_face(frame, to_crop, SIZE)
    image = np.clip(original + change, 0, 1).astype(np.float32)
    return RestoredFace(
        track_id=0, to_crop=to_crop, image=image, estimate=None, original=original, landmarks=points
    )


def paste(frame: Frame, *faces: RestoredFace, strength: float = 1.0) -> Frame:
    out = composite(FrameFaces(frame=frame, faces=faces), strength=strength)
    return out


def detail(seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.2, (SIZE, SIZE, 3)).astype(np.float32)


@pytest.mark.parametrize("name", ["yuv420p", "yuv422p10le", "gbrp", "gray"])
@pytest.mark.parametrize("size", [(100, 90), (101, 91)])
def test_outside_the_mask_every_code_stays(name: str, size: tuple[int, int]) -> None:
    frame = random_frame(name, *size)
    before = [p.copy() for p in frame.planes]
    out = paste(frame, restored(frame, detail()))
    corners = np.array([[0, 0], [SIZE, 0], [0, SIZE], [SIZE, SIZE]], float)
    places = transform_points(invert_affine(similarity(POINTS, SIZE)), corners)
    (x0, y0), (x1, y1) = np.floor(places.min(0)).astype(int), np.ceil(places.max(0)).astype(int)
    changed = 0
    for index, (plane, old, source) in enumerate(zip(out.planes, before, frame.planes, strict=True)):
        assert np.array_equal(source, old), "an input plane was written to"
        sx, sy = frame.format.chroma_shift if index else (0, 0)
        outside = np.ones(plane.shape, bool)
        outside[max(y0, 0) >> sy : (y1 >> sy) + 1, max(x0, 0) >> sx : (x1 >> sx) + 1] = False
        assert np.array_equal(plane[outside], old[outside])
        changed += int((plane != old).sum())
    assert changed > 100


@pytest.mark.parametrize("name", list(FORMATS))
def test_a_face_that_was_not_changed_changes_nothing(name: str) -> None:
    frame = random_frame(name, 100, 90)
    out = paste(frame, restored(frame, 0.0))
    assert all(np.array_equal(a, b) for a, b in zip(out.planes, frame.planes, strict=True))


def test_without_strength_or_faces_the_frame_itself_comes_back() -> None:
    frame = random_frame("yuv420p", 100, 90)
    assert paste(frame, restored(frame, detail()), strength=0.0) is frame
    assert paste(frame) is frame


@pytest.mark.parametrize("shift", [(-45, 0), (60, 50), (-30, -30), (400, 0)])
def test_a_face_partly_outside_the_frame_is_pasted_where_it_is_seen(shift: tuple[int, int]) -> None:
    frame = random_frame("yuv420p", 101, 91)
    out = paste(frame, restored(frame, detail(), POINTS + np.array(shift, np.float32)))
    assert [p.shape for p in out.planes] == [p.shape for p in frame.planes]
    assert any((a != b).any() for a, b in zip(out.planes, frame.planes, strict=True)) == (shift != (400, 0))


def test_two_faces_in_one_place_change_no_more_than_one() -> None:
    frame = make_frame([np.full((90, 100), 100, np.uint8)], "gray")
    change = np.zeros((SIZE, SIZE, 3), np.float32)
    change[::2] = 0.3
    face = restored(frame, change)
    one, two = (paste(frame, *faces).planes[0].astype(int) for faces in ((face,), (face, face)))
    assert np.abs(two - 100).max() <= np.abs(one - 100).max() + 1


def test_half_strength_is_half_the_change() -> None:
    frame = make_frame([np.full((90, 100), 100, np.uint8)], "gray")
    face = restored(frame, detail())
    full, half = (paste(frame, face, strength=s).planes[0].astype(int) - 100 for s in (1.0, 0.5))
    assert np.abs(half - full / 2).max() <= 1


def test_the_mask_covers_the_face_and_leaves_the_edges() -> None:
    mask = face_mask(template(256), 256)
    for x, y in template(256):
        assert mask[round(y), round(x)] > 0.95
    border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    assert border.max() == 0
    assert 0.25 < mask.mean() < 0.6


@pytest.mark.parametrize("width", [100, 101])
def test_side_by_side_shows_the_original_and_then_the_restored(width: int) -> None:
    left, right = random_frame("yuv420p", width, 90, 0), random_frame("yuv420p", width, 90, 1)
    both = side_by_side(left, right)
    assert both.width == 2 * width
    assert both.planes[1].shape == (45, width)
    assert np.array_equal(both.planes[0][:, :width], left.planes[0])
    assert np.array_equal(both.planes[0][:, width:], right.planes[0])
