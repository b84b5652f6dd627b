"""The estimate's change is composited over the whole head, drawn detail over the face only."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.frames import FORMATS, make_frame, random_frame
from vidrestore.faces.alignment import invert_affine, similarity, template, transform_points, warp_face
from vidrestore.faces.compositing import composite, face_mask, head_mask
from vidrestore.types import ColourTags, FloatArray, Frame, FrameFaces, RestoredFace

SIZE = 64
WIDTH, HEIGHT = 150, 130
POINTS = (template(SIZE) + np.array([40, 30])).astype(np.float32)
"""The crop covers 64 x 64 pixels of the frame, from (40, 30) on."""


def fused(
    frame: Frame,
    *,
    shown: float | np.ndarray = 0.0,
    drawn: float | np.ndarray = 0.0,
    points: np.ndarray = POINTS,
    size: int = SIZE,
) -> RestoredFace:
    """A face whose estimate is the original plus `shown`, and whose restored picture is `drawn` beyond it."""
    to_crop = similarity(points, size)
    original = warp_face(frame, to_crop, size)
    estimate = (original + shown).clip(0, 1).astype(np.float32)
    image = (estimate + drawn).clip(0, 1).astype(np.float32)
    return RestoredFace(
        track_id=0, to_crop=to_crop, image=image, estimate=estimate, original=original, landmarks=points
    )


def paste(frame: Frame, *faces: RestoredFace, strength: float = 1.0) -> Frame:
    return composite(FrameFaces(frame=frame, faces=faces), strength=strength, grain=0.0)


def grey(level: int = 100) -> Frame:
    return make_frame([np.full((HEIGHT, WIDTH), level, np.uint8)], "gray", ColourTags(full_range=True))


def noise(seed: int = 3) -> FloatArray:
    return np.random.default_rng(seed).normal(0, 0.2, (SIZE, SIZE, 3)).astype(np.float32)


def stripes(width: int = 2) -> FloatArray:
    """Darker and brighter rows, so many pixels wide each."""
    rows = 0.2 * (-1.0) ** (np.arange(SIZE) // width)
    return np.broadcast_to(rows[:, None, None], (SIZE, SIZE, 3)).astype(np.float32)


@pytest.mark.parametrize("name", list(FORMATS))
@pytest.mark.parametrize("beside", [False, True])
def test_outside_the_crop_every_code_stays(name: str, beside: bool) -> None:
    frame = random_frame(name, WIDTH, HEIGHT)
    faces = [fused(frame, shown=noise(1), drawn=noise(2))]
    if beside:
        faces.append(fused(frame, shown=noise(3), drawn=noise(4), points=POINTS + np.float32(8)))
    out = paste(frame, *faces)
    x1, y1 = (112, 102) if beside else (104, 94)
    for index, (plane, old) in enumerate(zip(out.planes, frame.planes, strict=True)):
        sx, sy = frame.format.chroma_shift if index else (0, 0)
        outside = np.ones(plane.shape, bool)
        outside[30 >> sy : (y1 >> sy) + 1, 40 >> sx : (x1 >> sx) + 1] = False
        assert np.array_equal(plane[outside], old[outside])
        assert (plane != old).mean() > 0.05


@pytest.mark.parametrize("name", list(FORMATS))
@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("grain", ["auto", 0.0, 1.0])
def test_a_face_whose_estimate_is_the_original_changes_no_code(
    name: str, beside: bool, grain: float | str
) -> None:
    frame = random_frame(name, WIDTH, HEIGHT)
    faces = (fused(frame),) * (2 if beside else 1)
    out = composite(FrameFaces(frame=frame, faces=faces), grain=grain)  # type: ignore[arg-type]
    assert all(np.array_equal(a, b) for a, b in zip(out.planes, frame.planes, strict=True))


def test_where_the_estimate_is_the_original_every_code_stays() -> None:
    frame = random_frame("yuv444p", WIDTH, HEIGHT)
    shown = np.zeros((SIZE, SIZE, 3), np.float32)
    shown[:, SIZE // 2 :] = 0.2
    out = paste(frame, fused(frame, shown=shown))
    for plane, old in zip(out.planes, frame.planes, strict=True):
        assert np.array_equal(plane[:, : 40 + SIZE // 2 - 1], old[:, : 40 + SIZE // 2 - 1])
        assert (plane != old)[:, 40 + SIZE // 2 :].any()


def test_the_estimates_change_reaches_hair_and_neck_and_fades_out_at_the_crops_edge() -> None:
    frame = grey()
    change = paste(frame, fused(frame, shown=0.2)).planes[0].astype(float) - 100
    crop = change[30:94, 40:104]
    assert crop[20:44, 20:44].min() >= 0.98 * 0.2 * 255 - 1
    edge = np.concatenate([crop[0], crop[-1], crop[:, 0], crop[:, -1]])
    assert edge.max() <= 1
    # Nowhere is there a seam: it falls by little from one pixel to the next.
    assert np.abs(np.diff(crop, axis=1)).max() < 0.25 * 0.2 * 255
    # Far outside the oval of the face it is still there.
    mask = face_mask(template(SIZE), SIZE)
    outside = (mask == 0) & (head_mask(SIZE) > 0.5)
    assert outside.sum() > 100
    assert crop[outside].min() > 0.4 * 0.2 * 255


def test_drawn_detail_changes_only_pixels_inside_the_face() -> None:
    frame = grey()
    change = paste(frame, fused(frame, drawn=stripes())).planes[0].astype(int) - 100
    crop = change[30:94, 40:104]
    mask = face_mask(template(SIZE), SIZE)
    assert np.abs(crop[mask == 0]).max() <= 1
    assert np.abs(crop[mask > 0.99]).mean() > 0.15 * 255


def test_head_masks_are_whole_in_the_middle_and_nothing_at_the_edge() -> None:
    for size in (64, 256, 512):
        mask = head_mask(size)
        assert mask.shape == (size, size)
        assert np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]]).max() == 0
        assert mask[size // 4 : -size // 4, size // 4 : -size // 4].min() > 0.95
        assert np.array_equal(mask, mask[::-1])
        assert np.array_equal(mask, mask.T)
        for x, y in template(size):
            assert mask[round(y), round(x)] > 0.99


@pytest.mark.parametrize("strength", [0.25, 0.5])
def test_strength_is_the_share_of_both_changes(strength: float) -> None:
    frame = grey()
    face = fused(frame, shown=0.1, drawn=stripes())
    full, part = (paste(frame, face, strength=s).planes[0].astype(float) - 100 for s in (1.0, strength))
    assert np.abs(part - strength * full).max() <= 1


def test_two_heads_in_one_place_change_no_more_than_one() -> None:
    frame = grey()
    face = fused(frame, shown=0.2, drawn=0.1)
    one, two = (paste(frame, *faces).planes[0].astype(int) for faces in ((face,), (face, face)))
    # Where the first one's mask fades, the second one may fill up to the same change.
    assert two.max() <= one.max() + 1
    assert (two >= one - 1).all()
    assert (two > one + 5).any()


def test_heads_that_overlap_share_the_place() -> None:
    frame = grey()
    left = fused(frame, shown=0.2)
    right = fused(frame, shown=0.2, points=POINTS + np.array([40, 0], np.float32))
    both = paste(frame, left, right).planes[0].astype(int) - 100
    assert both.max() <= round(0.2 * 255) + 1
    for face in (left, right):
        alone = paste(frame, face).planes[0].astype(int) - 100
        assert (both >= alone - 2).all()


def test_a_small_face_inside_a_larger_heads_crop_keeps_its_own_drawn_detail() -> None:
    frame = grey()
    small_points = (template(24) + np.array([77, 68])).astype(np.float32)
    large = fused(frame, shown=0.1)
    small = fused(frame, drawn=stripes(8), points=small_points)
    out = {
        "large": paste(frame, large),
        "both": paste(frame, large, small),
        "other order": paste(frame, small, large),
    }
    planes = {name: result.planes[0].astype(int) for name, result in out.items()}
    assert np.array_equal(planes["both"], planes["other order"])
    centre = transform_points(
        invert_affine(small.to_crop), np.array([[SIZE / 2, 0.58 * SIZE]])
    )[0].round().astype(int)  # fmt: skip
    around = (slice(centre[1] - 4, centre[1] + 5), slice(centre[0] - 4, centre[0] + 5))
    own = planes["both"][around] - planes["large"][around]
    alone = paste(frame, small).planes[0].astype(int)[around] - 100
    assert np.abs(alone).max() > 10
    assert np.abs(own).mean() > 0.6 * np.abs(alone).mean()


def test_changes_of_an_estimated_and_a_fully_drawn_face_do_not_add_up() -> None:
    frame = grey()
    whole = RestoredFace(
        track_id=1,
        to_crop=similarity(POINTS, SIZE),
        image=np.full((SIZE, SIZE, 3), 0.6, np.float32),
        estimate=None,
        original=np.full((SIZE, SIZE, 3), 100 / 255, np.float32),
        landmarks=POINTS,
    )
    out = paste(frame, whole, fused(frame, drawn=0.6 - 100 / 255)).planes[0]
    assert out.max() <= round(0.6 * 255) + 1
