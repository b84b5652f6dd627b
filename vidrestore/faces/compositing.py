"""Composites restored faces into the planes of their frame, under a soft mask.

The *difference* between restored and original crop is warped back and added to the frame. So pixels outside
of the mask keep their exact values, an unchanged face changes nothing, and detail that is finer than the
crop's (of a large face in a 4K frame) is kept. Only the share
of it that is taken for noise is removed (`finer_noise`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.colour.hdr import code_difference, needs_tone_mapping
from vidrestore.colour.yuv_rgb import (
    black_and_span,
    chroma_cell_mean,
    planes_from_rgb,
    shrink_to_chroma,
)
from vidrestore.faces.alignment import low_pass, similarity_scale, transform_points
from vidrestore.faces.crop_place import CropPlace, place_in_frame, warp_back
from vidrestore.faces.finer_noise import noise_share, removed_share
from vidrestore.faces.grain import extract_grain, grain_share
from vidrestore.faces.orientation import display_axis
from vidrestore.settings.sidecar import FaceTreatment, Grain
from vidrestore.types import FloatArray, Frame, FrameFaces, Plane, RestoredFace

HEAD_FEATHER = 0.22
"""Width of the feather of the head mask, as a fraction of half the crop's side."""
FACE_FEATHER = 0.33
"""Width of the feather of the face mask, as a fraction of the oval's radius."""
EDGE_FEATHER = 0.06
"""Width of the feather of the face mask at the edges of the crop, as a fraction of the crop's side."""


def composite(item: FrameFaces[RestoredFace], *, strength: float = 1.0, grain: Grain = "auto") -> Frame:
    """The frame with its restored faces composited; the same frame if there are none.

    Args:
        item: A frame and its restored faces.
        strength: Share of the restored faces in the result, 0..1. A face's own treatment wins over it and
            over `grain`.
        grain: Share of the original grain that faces keep, 0..1; auto: a fifth, and
            none on faces that are drawn as a whole (fidelity 0).
    """
    usual = FaceTreatment(strength=strength, fidelity="auto", grain=grain)
    faces = [
        (face, treatment)
        for face in item.faces
        if face.opacity * (treatment := face.treatment or usual).strength > 0
    ]
    return _paste_all(item.frame, faces) if faces else item.frame


def side_by_side(original: Frame, restored: Frame) -> Frame:
    """A frame of double width with the original on the left and the restored frame on the right."""
    axis, forward = display_axis(original.orientation)
    pair = (original, restored) if forward else (restored, original)
    length = (original.height, original.width)[axis]
    shift = original.format.chroma_shift[1 - axis]
    planes = []
    for index, both in enumerate(zip(*(frame.planes for frame in pair), strict=True)):
        joined = np.concatenate(both, axis=axis)
        if index in (1, 2):  # with odd sizes, the two chroma planes together have one sample too many
            joined = np.take(joined, range(-(-2 * length // (1 << shift))), axis=axis)
        planes.append(joined)
    return replace(restored, planes=tuple(planes))


def face_mask(landmarks: NDArray[np.floating], size: int) -> FloatArray:
    """(size, size) in 0..1: an oval mask of the face in the crop.

    It reaches from forehead to chin, follows the eyes and the mouth, and is feathered in its outer third.

    Args:
        landmarks: (5, 2) points in the crop [px].
        size: Side of the crop [px].
    """
    oval = face_oval(landmarks)
    at = np.arange(size, dtype=np.float32)
    x, y = at - np.float32(oval.centre[0]), at - np.float32(oval.centre[1])
    a, b = (axis.astype(np.float32) for axis in (oval.across, oval.down))
    # OpenCV's magnitude takes a tenth of the time of numpy's hypot.
    radius = np.asarray(
        cv2.magnitude(np.add.outer(y * a[1], x * a[0]), np.add.outer(y * b[1], x * b[0])), np.float32
    )
    edge = _smooth_step(np.minimum(at, size - 1 - at) / np.float32(EDGE_FEATHER * size))
    mask = _smooth_step((1 - radius) / np.float32(FACE_FEATHER)) * np.minimum.outer(edge, edge)
    return mask.astype(np.float32, copy=False)


@dataclass(frozen=True, slots=True)
class FaceOval:
    """The ellipse of a face in its crop [px]."""

    centre: NDArray[np.float64]
    """(2,)"""
    across: NDArray[np.float64]
    """(2,) the axis from side to side; its product with a point of the ellipse there is 1."""
    down: NDArray[np.float64]
    """(2,) the axis from forehead to chin."""


def face_oval(landmarks: NDArray[np.floating]) -> FaceOval:
    """The ellipse from forehead to chin, which follows the eyes and the mouth.

    Args:
        landmarks: (5, 2) points in the crop [px].
    """
    left_eye, right_eye, _, left_mouth, right_mouth = landmarks.astype(np.float64)
    eyes, mouth = (left_eye + right_eye) / 2, (left_mouth + right_mouth) / 2
    down = mouth - eyes
    length = float(np.hypot(*down)) or 1.0
    down = down / length
    across = np.array([down[1], -down[0]])
    width = max(float(abs((right_eye - left_eye) @ across)), 0.8 * length)
    centre = eyes + 0.45 * length * down
    return FaceOval(centre, across / (1.25 * width), down / (1.5 * length))


def head_mask(size: int) -> FloatArray:
    """(size, size) in 0..1: a mask of the head in the crop with a wide feather towards the edges."""
    from_centre = np.abs(np.arange(size, dtype=np.float32) - (size - 1) / 2) / np.float32(size / 2)
    fourth = from_centre**4
    radius = np.sqrt(np.sqrt(np.add.outer(fourth, fourth)))
    return _smooth_step((0.98 - radius) / np.float32(HEAD_FEATHER)).astype(np.float32, copy=False)


@dataclass(slots=True)
class _Occupied:
    """The shares of the frame that faces cover so far, each (height, width) in 0..1."""

    head: FloatArray
    face: FloatArray


def _paste_all(frame: Frame, faces: list[tuple[RestoredFace, FaceTreatment]]) -> Frame:
    planes: list[Plane] = [plane.copy() for plane in frame.planes]
    # Where faces overlap, the larger one comes first; the others get the remaining share.
    faces = sorted(faces, key=lambda pair: similarity_scale(pair[0].to_crop) / pair[0].image.shape[0])
    shape = (frame.height, frame.width)
    occupied = _Occupied(np.zeros(shape, np.float32), np.zeros(shape, np.float32)) if len(faces) > 1 else None
    for face, how in faces:
        if face.estimate is None:
            _paste_generated(frame, planes, face, how.strength, how.grain, occupied)
        else:
            _paste_fused(frame, planes, face, face.estimate, how.strength, how.grain, occupied)
    return replace(frame, planes=tuple(planes))


def _paste_generated(
    frame: Frame,
    planes: list[Plane],
    face: RestoredFace,
    strength: float,
    grain: Grain,
    occupied: _Occupied | None,
) -> None:
    """Composites a face that was drawn as a whole, inside the oval mask."""
    mask = face_mask(transform_points(face.to_crop, face.landmarks), face.image.shape[0])
    picture = _with_grain(face.image, face, mask, grain_share(grain, is_generated=True))
    difference = code_difference(picture, face.original, frame.colour)
    taken = None if occupied is None else occupied.face
    _add_masked_change(frame, planes, face, difference, mask, strength * face.opacity, taken)


def _paste_fused(
    frame: Frame,
    planes: list[Plane],
    face: RestoredFace,
    estimate: FloatArray,
    strength: float,
    grain: Grain,
    occupied: _Occupied | None,
) -> None:
    """Composites the change by the estimate over the whole head, and drawn detail over the face only."""
    size = face.image.shape[0]
    head = head_mask(size)
    oval = np.minimum(face_mask(transform_points(face.to_crop, face.landmarks), size), head)
    kept_grain = grain_share(grain, is_generated=False)
    shown = _with_grain(estimate, face, head, kept_grain)
    removed = _removed_share(frame, face, estimate, kept_grain)
    drawn = face.image - estimate
    share = strength * face.opacity
    if occupied is None:
        target = face.original + head[..., None] * (shown - face.original) + oval[..., None] * drawn
        difference = code_difference(np.clip(target, 0, 1), face.original, frame.colour)
        if difference.any():
            _add_change_of_head(frame, planes, face, difference, removed, head, share)
        return
    of_estimate = code_difference(shown, face.original, frame.colour)
    _add_masked_change(frame, planes, face, of_estimate, head, share, occupied.head, removed)
    whole = code_difference(np.clip(shown + drawn, 0, 1), face.original, frame.colour)
    _add_masked_change(frame, planes, face, whole - of_estimate, oval, share, occupied.face)


def _removed_share(
    frame: Frame, face: RestoredFace, estimate: FloatArray, kept_grain: float
) -> FloatArray | None:
    """(S, S) the share of the finest detail that was removed as noise; None: it is zero everywhere."""
    if kept_grain >= 1 or needs_tone_mapping(frame.colour):  # a tone mapped crop lacks highlights
        return None
    film = face.original if face.gain == 1 else face.original * np.float32(face.gain)
    share = removed_share(film, estimate, similarity_scale(face.to_crop)) * np.float32(1 - kept_grain)
    return share if share.any() else None


def _with_grain(picture: FloatArray, face: RestoredFace, mask: FloatArray, grain: float) -> FloatArray:
    """The picture of the face with a share of the footage's grain."""
    if not grain:
        return picture
    film = face.original * np.float32(face.gain)
    return np.clip(picture + np.float32(grain) * extract_grain(film, picture, mask), 0, 1)


@dataclass(frozen=True, slots=True)
class _FinerNoise:
    """What is needed in a region of the frame to subtract noise that is finer than the crop."""

    crop: FloatArray
    """(h, w, 3) the crop, warped back."""
    share: FloatArray
    """(h, w) in 0..1: the share of the finest detail that was removed as noise."""
    head: FloatArray
    """(h, w) in 0..1: the mask of the head."""


def _add_change_of_head(
    frame: Frame,
    planes: list[Plane],
    face: RestoredFace,
    difference: FloatArray,
    removed: FloatArray | None,
    head: FloatArray,
    share: float,
) -> None:
    """Adds a share of a change (S, S, 3) that is masked already; it is zero outside of the head's mask.

    The region is the mask's, wherever the picture has changed. Positions are rounded from its corner, so a
    GPU, which is not asked where the picture has changed, finds the same.
    """
    place = place_in_frame(head, face.to_crop, frame)
    if place is not None:
        delta = warp_back(low_pass(difference, 1 / place.scale), place)
        noise = None if removed is None else _finer_noise(face, head * removed, head, place)
        _add_weighted_change(frame, planes, delta, np.full(delta.shape[:2], share, np.float32), noise, place)


def _add_masked_change(
    frame: Frame,
    planes: list[Plane],
    face: RestoredFace,
    difference: FloatArray,
    mask: FloatArray,
    share: float,
    taken: FloatArray | None,
    removed: FloatArray | None = None,
) -> None:
    """Adds a change in the crop (S, S, 3) to the planes.

    Args:
        frame: The frame from which the planes were copied.
        planes: The planes; they are changed in place.
        face: The face; it has the position of the crop.
        difference: The change of RGB, in the frame's transfer.
        mask: (S, S) in 0..1.
        share: Factor on the change.
        taken: (height, width), the share of the frame that other faces cover; it is updated in place.
        removed: (S, S) in 0..1, the share of the finest detail that was removed as noise; None: zero.
    """
    place = place_in_frame(mask, face.to_crop, frame)
    if place is None:
        return
    delta = warp_back(low_pass(difference, 1 / place.scale), place)
    noise = None if removed is None else _finer_noise(face, removed, mask, place)
    weight = warp_back(mask, place) * np.float32(share)
    if taken is not None:
        occupied = taken[place.rows, place.columns]
        weight = weight * (1 - occupied)
        occupied += weight
    _add_weighted_change(frame, planes, delta, weight, noise, place)


def _finer_noise(face: RestoredFace, removed: FloatArray, head: FloatArray, place: CropPlace) -> _FinerNoise:
    crop, share = (warp_back(low_pass(part, 1 / place.scale), place) for part in (face.original, removed))
    return _FinerNoise(crop, share, warp_back(head, place))


def _add_weighted_change(
    frame: Frame,
    planes: list[Plane],
    delta: FloatArray,
    weight: FloatArray,
    noise: _FinerNoise | None,
    place: CropPlace,
) -> None:
    """Adds a weighted change of RGB to the planes, in place, without noise that is finer than the crop."""
    x0, y0, *_ = place.region
    changes = planes_from_rgb(delta, frame, difference=True)
    removals = [None] * len(changes) if noise is None else _removals(frame, noise, place)
    peak = (1 << frame.format.bit_depth) - 1
    shifts = [(0, 0), frame.format.chroma_shift, frame.format.chroma_shift]
    shares = [weight, *2 * [chroma_cell_mean(weight, frame)]]
    for plane, change, removal, share, (sx, sy) in zip(
        planes, changes, removals, shares, shifts, strict=False
    ):
        part = plane[y0 >> sy : (y0 >> sy) + change.shape[0], x0 >> sx : (x0 >> sx) + change.shape[1]]
        changed = part + share * (change if removal is None else change - removal)
        np.clip(np.rint(changed, out=changed), 0, peak, out=changed)
        part[:] = changed


def _removals(frame: Frame, noise: _FinerNoise, place: CropPlace) -> list[FloatArray | None]:
    """The noise in each plane of the frame's region that is finer than the crop [codes]; None: there is none.

    It is that of the frame itself, whatever other faces have changed already.
    """
    x0, y0, *_ = place.region
    span = np.float32((1 << frame.format.bit_depth) - 1)
    shifts = [(0, 0), frame.format.chroma_shift, frame.format.chroma_shift]
    maps = [(noise.share, noise.head), *2 * [_on_chroma_grid(noise, frame)]]
    removals: list[FloatArray | None] = []
    for index, (crop, (share, head), (sx, sy)) in enumerate(
        zip(planes_from_rgb(noise.crop, frame, difference=True), maps, shifts, strict=False)
    ):
        plane = frame.planes[index]
        part = plane[y0 >> sy : (y0 >> sy) + crop.shape[0], x0 >> sx : (x0 >> sx) + crop.shape[1]]
        residual = _above_zero(part, index, frame) - crop
        noisy = noise_share(residual / span, head > 0.5)
        removals.append(None if noisy is None else share * noisy * residual)
    return removals


def _on_chroma_grid(noise: _FinerNoise, frame: Frame) -> tuple[FloatArray, FloatArray]:
    """The share and the mask at the chroma samples."""
    return shrink_to_chroma(noise.share, frame), chroma_cell_mean(noise.head, frame)


def _above_zero(codes: Plane, index: int, frame: Frame) -> FloatArray:
    """Codes of a plane above those of black, or of grey in chroma, clipped to the range of the crop's."""
    if frame.format.family != "rgb" and index:
        return codes - np.float32(1 << (frame.format.bit_depth - 1))
    black, span = black_and_span(frame)
    return np.clip(codes - np.float32(black), 0, np.float32(span))


def _smooth_step(x: NDArray[np.floating]) -> NDArray[np.floating]:
    t = np.clip(x, 0, 1)
    return t * t * (3 - 2 * t)
