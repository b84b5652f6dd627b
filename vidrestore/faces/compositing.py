"""RestoredFace -> Frame: under a soft mask, in the frame's own planes.

What is laid over the frame is the *difference* the restoration makes, warped back. A pixel whose mask is zero
keeps its code bit for bit, a face that was not changed changes nothing, and detail finer than the crop's (a
large face in a 4K frame) stays.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.colour.hdr import code_difference
from vidrestore.colour.yuv_rgb import chroma_cell_mean, planes_from_rgb
from vidrestore.faces.alignment import invert_affine, low_pass, similarity_scale, transform_points
from vidrestore.faces.grain import LUMA, extract_grain
from vidrestore.faces.orientation import display_axis
from vidrestore.types import FloatArray, Frame, FrameFaces, Plane, RestoredFace

LOW_FREQUENCY = 1 / 16
"""Standard deviation, as a fraction of the crop's side, below which colour is the original's."""
_OPPONENT = np.array([[1.0, -1.0, 0.0], [-0.5, -0.5, 1.0], [0.0, 0.0, 0.0]])
"""Red less green, and blue less yellow, of RGB; and nothing, as OpenCV is far quicker from three to three."""
_SHRINK = 4
"""By which pictures are smaller where only their low frequencies are wanted."""


def composite(item: FrameFaces[RestoredFace], *, strength: float = 1.0, grain: float = 0.0) -> Frame:
    """The frame with its restored faces laid over it by `strength` (0..1); without any, itself.

    `grain` (0..1): how much of the frame's own grain stays where they are.
    """
    faces = [face for face in item.faces if face.opacity * strength > 0]
    return _paste_all(item.frame, faces, strength, grain) if faces else item.frame


def side_by_side(original: Frame, restored: Frame) -> Frame:
    """A frame twice as wide as it is shown: the original on the left, the restored one on the right."""
    axis, forward = display_axis(original.orientation)
    pair = (original, restored) if forward else (restored, original)
    length = (original.height, original.width)[axis]
    shift = original.format.chroma_shift[1 - axis]
    planes = []
    for index, both in enumerate(zip(*(frame.planes for frame in pair), strict=True)):
        joined = np.concatenate(both, axis=axis)
        if index in (1, 2):  # of an odd length the two chroma planes are one sample too many together
            joined = np.take(joined, range(-(-2 * length // (1 << shift))), axis=axis)
        planes.append(joined)
    return replace(restored, planes=tuple(planes))


def face_mask(landmarks: NDArray[np.floating], size: int) -> FloatArray:
    """(size, size) in 0..1 in crop space: one over the face, zero towards the crop's edges.

    An oval from forehead to chin that follows the eyes and the mouth, feathered over its outer third.
    """
    left_eye, right_eye, _, left_mouth, right_mouth = landmarks.astype(np.float64)
    eyes, mouth = (left_eye + right_eye) / 2, (left_mouth + right_mouth) / 2
    down = mouth - eyes
    length = float(np.hypot(*down)) or 1.0
    down = down / length
    across = np.array([down[1], -down[0]])
    width = max(float(abs((right_eye - left_eye) @ across)), 0.8 * length)
    centre = eyes + 0.45 * length * down
    at = np.arange(size, dtype=np.float32)
    x, y = at - np.float32(centre[0]), at - np.float32(centre[1])
    a, b = (axis.astype(np.float32) for axis in (across / (1.25 * width), down / (1.5 * length)))
    # OpenCV's root takes a tenth of the time of numpy's hypot.
    radius = np.asarray(
        cv2.magnitude(np.add.outer(y * a[1], x * a[0]), np.add.outer(y * b[1], x * b[0])), np.float32
    )
    edge = _smooth_step(np.minimum(at, size - 1 - at) / np.float32(0.06 * size))
    mask = _smooth_step((1 - radius) / np.float32(0.33)) * np.minimum.outer(edge, edge)
    return mask.astype(np.float32, copy=False)


def match_colour(restored: FloatArray, original: FloatArray) -> FloatArray:
    """`restored` (S, S, 3) with the low frequencies of `original`, and no more colour in its detail.

    Brightness and colour over areas larger than an eye are the film's own; a grey film gets grey detail.
    """
    sigma = LOW_FREQUENCY * restored.shape[0]
    share = min(1.0, _chroma_spread(original) / (_chroma_spread(restored) + 1e-6))
    towards_grey = share * np.eye(3) + (1 - share) * LUMA
    coloured = np.asarray(cv2.transform(restored, towards_grey), np.float32)
    # Taking low frequencies is linear: those of the one less those of the other.
    return np.clip(coloured + low_frequencies(original - coloured, sigma), 0, 1)


def low_frequencies(image: FloatArray, sigma: float) -> FloatArray:
    """`image` (S, S, 3) under a Gaussian of that many pixels, on a quarter of the side where that is enough.

    At its own size this took longer than everything else that is done to lay a face back.
    """
    size = image.shape[0]
    if sigma < 2 * _SHRINK or size % _SHRINK:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT), np.float32)
    small = cv2.resize(image, (size // _SHRINK, size // _SHRINK), interpolation=cv2.INTER_AREA)
    # Shrinking averages over a square and growing over a triangle; the Gaussian does the rest.
    rest = np.sqrt(sigma**2 - (_SHRINK**2 - 1) / 12 - _SHRINK**2 / 6) / _SHRINK
    soft = cv2.GaussianBlur(small, (0, 0), float(rest), borderType=cv2.BORDER_REFLECT)
    return np.asarray(cv2.resize(soft, (size, size), interpolation=cv2.INTER_LINEAR), np.float32)


def _paste_all(frame: Frame, faces: list[RestoredFace], strength: float, grain: float) -> Frame:
    planes: list[Plane] = [plane.copy() for plane in frame.planes]
    # Where faces overlap, the larger one comes first and the others get what it leaves.
    faces = sorted(faces, key=lambda face: similarity_scale(face.to_crop))
    occupied = np.zeros((frame.height, frame.width), np.float32) if len(faces) > 1 else None
    for face in faces:
        _paste(frame, planes, face, strength, grain, occupied)
    return replace(frame, planes=tuple(planes))


def _paste(
    frame: Frame,
    planes: list[Plane],
    face: RestoredFace,
    strength: float,
    grain: float,
    occupied: FloatArray | None,
) -> None:
    size = face.image.shape[0]
    mask = face_mask(transform_points(face.to_crop, face.landmarks), size)
    region = _region_of(mask, face.to_crop, frame)
    if region is None:
        return
    x0, y0, x1, y1 = region
    steadied = face.original * np.float32(face.gain)
    restored = match_colour(face.image, steadied)
    if grain:
        restored = np.clip(restored + np.float32(grain) * extract_grain(steadied, restored, mask), 0, 1)
    difference = code_difference(restored, face.original, frame.colour)
    matrix = face.to_crop.copy()
    matrix[:, 2] += face.to_crop[:, :2] @ np.array([x0, y0])
    shrink = 1 / similarity_scale(face.to_crop)
    delta = _warp_back(low_pass(difference, shrink), matrix, (x1 - x0, y1 - y0))
    weight = _warp_back(mask, matrix, (x1 - x0, y1 - y0)) * (strength * face.opacity)
    if occupied is not None:
        occupied_part = occupied[y0:y1, x0:x1]
        weight = weight * (1 - occupied_part)
        occupied_part += weight
    _add_weighted_change(frame, planes, delta, weight, x0, y0)


def _add_weighted_change(
    frame: Frame, planes: list[Plane], delta: FloatArray, weight: FloatArray, x0: int, y0: int
) -> None:
    """Add a weighted change of RGB to the planes in place, the region beginning on the chroma grid."""
    changes = planes_from_rgb(delta, frame, difference=True)
    peak = (1 << frame.format.bit_depth) - 1
    shifts = [(0, 0), frame.format.chroma_shift, frame.format.chroma_shift]
    shares = [weight, *2 * [chroma_cell_mean(weight, frame)]]
    for plane, change, share, (sx, sy) in zip(planes, changes, shares, shifts, strict=False):
        part = plane[y0 >> sy : (y0 >> sy) + change.shape[0], x0 >> sx : (x0 >> sx) + change.shape[1]]
        changed = part + share * change
        np.clip(np.rint(changed, out=changed), 0, peak, out=changed)
        part[:] = changed


def _region_of(
    mask: FloatArray, to_crop: NDArray[np.float64], frame: Frame
) -> tuple[int, int, int, int] | None:
    """The part of the frame the mask can reach, beginning on the chroma grid; None where there is none."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if rows.size == 0:
        return None
    left, right, top, bottom = columns[0] - 1, columns[-1] + 1, rows[0] - 1, rows[-1] + 1
    corners = np.array([[left, top], [right, top], [left, bottom], [right, bottom]], np.float64)
    reached = transform_points(invert_affine(to_crop), corners)
    grid_x, grid_y = (1 << s for s in frame.format.chroma_shift)
    x0, y0 = (max(int(np.floor(v)), 0) for v in reached.min(0))
    x1, y1 = (int(np.ceil(v)) + 1 for v in reached.max(0))
    x0, y0, x1, y1 = x0 - x0 % grid_x, y0 - y0 % grid_y, min(x1, frame.width), min(y1, frame.height)
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def _warp_back(image: FloatArray, matrix: NDArray[np.float64], size: tuple[int, int]) -> FloatArray:
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(image, matrix, size, flags=flags, borderMode=cv2.BORDER_CONSTANT)  # type: ignore[return-value]


def _chroma_spread(image: FloatArray) -> float:
    """How far colours spread around their mean colour cast."""
    # A quarter of the pixels says the same.
    some = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_NEAREST)
    return float(np.linalg.norm(cv2.meanStdDev(cv2.transform(some, _OPPONENT))[1]))


def _smooth_step(x: NDArray[np.floating]) -> NDArray[np.floating]:
    t = np.clip(x, 0, 1)
    return t * t * (3 - 2 * t)
