"""Composites restored faces into the planes of their frame, on the device: `faces.compositing` for tensors.

Only the codes of the face's region go to the device and come back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidrestore.faces import compositing
from vidrestore.faces.alignment import similarity_scale, transform_points
from vidrestore.faces.compositing import Grain
from vidrestore.faces.crop_place import CropPlace, place_crop
from vidrestore.faces.grain import AUTO_GRAIN
from vidrestore.restoration.tensor_pictures.filters import low_pass
from vidrestore.restoration.tensor_pictures.grain import extract_grain
from vidrestore.restoration.tensor_pictures.hdr import code_difference
from vidrestore.restoration.tensor_pictures.masks import face_mask, head_mask
from vidrestore.restoration.tensor_pictures.pictures import TensorFace
from vidrestore.restoration.tensor_pictures.planes import add_change
from vidrestore.restoration.tensor_pictures.resampling import affine_positions, sample_at
from vidrestore.runtime.launching_thread import launch
from vidrestore.settings.sidecar import FaceTreatment
from vidrestore.types import FloatArray, Frame, Plane


def composite_tensors(
    frame: Frame, faces: Sequence[TensorFace], *, strength: float = 1.0, grain: Grain = "auto"
) -> Frame:
    """The frame with its restored faces composited; the same frame if there are none.

    Args:
        frame: The frame.
        faces: Its restored faces.
        strength: As for `compositing.composite`.
        grain: As for `compositing.composite`.
    """
    usual = FaceTreatment(strength=strength, fidelity="auto", grain=grain)
    treated = [(face, face.place.treatment or usual) for face in faces]
    shown = [(face, how) for face, how in treated if face.place.opacity * how.strength > 0]
    if not shown:
        return frame
    planes: list[Plane] = [plane.copy() for plane in frame.planes]
    # Where faces overlap, the larger one comes first; the others get the remaining share.
    shown.sort(key=lambda pair: similarity_scale(pair[0].place.to_crop) / pair[0].size)
    occupied = _Occupied(frame, shown[0][0].image.device) if len(shown) > 1 else None
    for face, how in shown:
        if face.estimate is None:
            _paste_generated(frame, planes, face, how, occupied)
        else:
            _paste_fused(frame, planes, face, face.estimate, how, occupied)
    return replace(frame, planes=tuple(planes))


class _Occupied:
    """The shares of the frame that faces cover so far, each (height, width) in 0..1."""

    def __init__(self, frame: Frame, device: torch.device) -> None:
        shares = launch(device, lambda: torch.zeros(2, frame.height, frame.width, device=device))
        self.head, self.face = shares


def _warped(crop: Tensor, place: CropPlace) -> Tensor:
    """(C, h, w) a crop (C, S, S) in the region of its frame; 0 outside of the crop."""
    x, y = affine_positions(place.matrix, *place.size, crop.device)
    return sample_at(crop[None], x[None], y[None], padding="zeros")[0]


@lru_cache(maxsize=16)
def _head_mask(size: int) -> FloatArray:
    return compositing.head_mask(size)


def _paste_generated(
    frame: Frame, planes: list[Plane], face: TensorFace, how: FaceTreatment, occupied: _Occupied | None
) -> None:
    """Composites a face that was drawn as a whole, inside the oval mask."""
    points = transform_points(face.place.to_crop, face.place.landmarks)
    place = place_crop(compositing.face_mask(points, face.size), face.place.to_crop, frame)
    if place is None:
        return

    def start() -> tuple[Tensor, Tensor]:
        mask = face_mask(points, face.size, face.image.device)
        picture = _with_grain(face.image, face, mask, 0.0 if how.grain == "auto" else how.grain)
        return code_difference(picture, face.original, frame.colour), mask

    share = how.strength * face.place.opacity
    taken = None if occupied is None else occupied.face
    change = partial(_masked, start, place, share, taken)
    add_change(frame, planes, place.region, face.image.device, change)


def _paste_fused(
    frame: Frame,
    planes: list[Plane],
    face: TensorFace,
    estimate: Tensor,
    how: FaceTreatment,
    occupied: _Occupied | None,
) -> None:
    """Composites the change by the estimate over the whole head, and drawn detail over the face only."""
    size, to_crop, device = face.size, face.place.to_crop, face.image.device
    # The whole mask, so that the GPU need not be asked where the picture changed.
    place = place_crop(_head_mask(size), to_crop, frame)
    if place is None:
        return
    points = transform_points(to_crop, face.place.landmarks)
    share = how.strength * face.place.opacity
    grain = AUTO_GRAIN if how.grain == "auto" else how.grain
    if occupied is None:
        change = partial(_change, frame, face, estimate, place, points, grain, share)
        add_change(frame, planes, place.region, device, change)
        return

    def start_estimate() -> tuple[Tensor, Tensor]:
        shown = _with_grain(estimate, face, head_mask(size, device), grain)
        return shown, code_difference(shown, face.original, frame.colour)

    def start_drawing() -> tuple[Tensor, Tensor]:
        oval = torch.minimum(face_mask(points, size, device), head_mask(size, device))
        whole = (shown + (face.image - estimate)).clamp(0, 1)
        return code_difference(whole, face.original, frame.colour) - of_estimate, oval

    shown, of_estimate = launch(device, start_estimate)
    outer = partial(_masked, lambda: (of_estimate, head_mask(size, device)), place, share, occupied.head)
    add_change(frame, planes, place.region, device, outer)
    inner = np.minimum(compositing.face_mask(points, size), _head_mask(size))
    place = place_crop(inner, to_crop, frame)
    if place is not None:
        drawing = partial(_masked, start_drawing, place, share, occupied.face)
        add_change(frame, planes, place.region, device, drawing)


def _change(
    frame: Frame,
    face: TensorFace,
    estimate: Tensor,
    place: CropPlace,
    points: NDArray[np.float64],
    grain: float,
    share: float,
) -> tuple[Tensor, Tensor]:
    """The change (3, h, w) of a face that is alone in the frame, in its region, and its weight (h, w)."""
    head = head_mask(face.size, face.image.device)
    oval = torch.minimum(face_mask(points, face.size, face.image.device), head)
    shown = _with_grain(estimate, face, head, grain)
    target = face.original + head * (shown - face.original) + oval * (face.image - estimate)
    difference = code_difference(target.clamp(0, 1), face.original, frame.colour)
    delta = _warped(low_pass(difference[None], 1 / place.scale)[0], place)
    return delta, torch.full_like(delta[0], share)


def _masked(
    start: Callable[[], tuple[Tensor, Tensor]], place: CropPlace, share: float, taken: Tensor | None
) -> tuple[Tensor, Tensor]:
    """A change (3, h, w) under a mask in its region, and its weight (h, w).

    Args:
        start: Launches the change (3, S, S) and the mask (S, S).
        place: Where the crop is in the frame.
        share: The face's share of the frame, 0..1.
        taken: The share of the faces before, which is updated; None: there is no other face.
    """
    difference, mask = start()
    delta = _warped(low_pass(difference[None], 1 / place.scale)[0], place)
    weight = _warped(mask[None], place)[0] * share
    if taken is not None:
        occupied = taken[place.rows, place.columns]
        weight = weight * (1 - occupied)
        occupied += weight
    return delta, weight


def _with_grain(picture: Tensor, face: TensorFace, mask: Tensor, grain: float) -> Tensor:
    """The picture of the face with a share of the footage's grain."""
    if not grain:
        return picture
    film = face.original * face.place.gain
    return (picture + grain * extract_grain(film, picture, mask)).clamp(0, 1)
