"""Composites restored faces into the planes of their frame, on the device: `faces.compositing` for tensors.

Only the codes of the face's region go to the device and come back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache, partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidrestore.colour.hdr import needs_tone_mapping
from vidrestore.faces import compositing
from vidrestore.faces.alignment import similarity_scale, transform_points
from vidrestore.faces.crop_place import CropPlace, place_in_frame
from vidrestore.faces.grain import grain_share
from vidrestore.restoration.tensor_pictures.filters import low_pass
from vidrestore.restoration.tensor_pictures.finer_noise import removed_share
from vidrestore.restoration.tensor_pictures.grain import extract_grain
from vidrestore.restoration.tensor_pictures.hdr import code_difference
from vidrestore.restoration.tensor_pictures.masks import face_mask, head_mask
from vidrestore.restoration.tensor_pictures.pictures import TensorFace
from vidrestore.restoration.tensor_pictures.planes import FinerNoise, RegionChange, add_change
from vidrestore.restoration.tensor_pictures.resampling import affine_positions, sample_at
from vidrestore.runtime.launching_thread import launch
from vidrestore.settings.sidecar import FaceTreatment, Grain
from vidrestore.types import ColourTags, FloatArray, Frame, Plane


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
    place = place_in_frame(compositing.face_mask(points, face.size), face.place.to_crop, frame)
    if place is None:
        return
    device, taken = face.image.device, None if occupied is None else occupied.face

    def change() -> RegionChange:
        mask = face_mask(points, face.size, device)
        picture = _with_grain(face.image, face, mask, grain_share(how.grain, is_generated=True))
        difference = code_difference(picture, face.original, frame.colour)
        return _masked(place, difference, mask, how.strength * face.place.opacity, taken)

    add_change(frame, planes, place.region, device, change)


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
    place = place_in_frame(_head_mask(size), to_crop, frame)
    if place is None:
        return
    points = transform_points(to_crop, face.place.landmarks)
    share = how.strength * face.place.opacity
    grain = grain_share(how.grain, is_generated=False)
    if occupied is None:
        change = partial(_change, face, estimate, grain, frame.colour, place, points, share)
        add_change(frame, planes, place.region, device, change)
        return
    shown = launch(device, lambda: _with_grain(estimate, face, head_mask(size, device), grain))
    of_estimate = launch(device, lambda: code_difference(shown, face.original, frame.colour))

    def outer() -> RegionChange:
        head = head_mask(size, device)
        change = _masked(place, of_estimate, head, share, occupied.head)
        removed = _removed_share(face, estimate, grain, frame.colour)
        return replace(change, noise=_finer_noise(face, removed, head, place))

    add_change(frame, planes, place.region, device, outer)
    inner_place = place_in_frame(
        np.minimum(compositing.face_mask(points, size), _head_mask(size)), to_crop, frame
    )
    if inner_place is None:
        return

    def inner() -> RegionChange:
        whole = code_difference((shown + (face.image - estimate)).clamp(0, 1), face.original, frame.colour)
        return _masked(inner_place, whole - of_estimate, _oval(face, points), share, occupied.face)

    add_change(frame, planes, inner_place.region, device, inner)


def _change(
    face: TensorFace,
    estimate: Tensor,
    grain: float,
    colour: ColourTags,
    place: CropPlace,
    points: NDArray[np.float64],
    share: float,
) -> RegionChange:
    """The change of the whole face in its region, where no other face is."""
    head = head_mask(face.size, face.image.device)
    shown = _with_grain(estimate, face, head, grain)
    drawn = face.image - estimate
    target = face.original + head * (shown - face.original) + _oval(face, points) * drawn
    difference = code_difference(target.clamp(0, 1), face.original, colour)
    delta = _warped(low_pass(difference[None], 1 / place.scale)[0], place)
    removed = _removed_share(face, estimate, grain, colour)
    noise = None if removed is None else _finer_noise(face, head * removed, head, place)
    return RegionChange(delta, torch.full_like(delta[0], share), noise)


def _removed_share(face: TensorFace, estimate: Tensor, grain: float, colour: ColourTags) -> Tensor | None:
    """(S, S) the share of the finest detail that was removed as noise; None: it is zero everywhere."""
    if grain >= 1 or needs_tone_mapping(colour):  # a tone mapped crop lacks highlights
        return None
    film = face.original * face.place.gain
    return removed_share(film, estimate, similarity_scale(face.place.to_crop)) * (1 - grain)


def _finer_noise(
    face: TensorFace, removed: Tensor | None, head: Tensor, place: CropPlace
) -> FinerNoise | None:
    """What is needed to subtract noise that is finer than the crop; None: there is none."""
    if removed is None:
        return None
    both = low_pass(torch.cat([face.original, removed[None]])[None], 1 / place.scale)[0]
    warped = _warped(torch.cat([both, head[None]]), place)
    return FinerNoise(warped[:3], warped[3], warped[4])


def _masked(
    place: CropPlace, difference: Tensor, mask: Tensor, share: float, taken: Tensor | None
) -> RegionChange:
    """A change (3, S, S) under a mask (S, S) in its region; `taken`, the share of other faces, is updated."""
    delta = _warped(low_pass(difference[None], 1 / place.scale)[0], place)
    weight = _warped(mask[None], place)[0] * share
    if taken is not None:
        occupied = taken[place.rows, place.columns]
        weight = weight * (1 - occupied)
        occupied += weight
    return RegionChange(delta, weight)


def _oval(face: TensorFace, points: NDArray[np.float64]) -> Tensor:
    """(S, S) the mask of drawn detail."""
    device = face.image.device
    return torch.minimum(face_mask(points, face.size, device), head_mask(face.size, device))


def _with_grain(picture: Tensor, face: TensorFace, mask: Tensor, grain: float) -> Tensor:
    """The picture of the face with a share of the footage's grain."""
    if not grain:
        return picture
    film = face.original * face.place.gain
    return (picture + grain * extract_grain(film, picture, mask)).clamp(0, 1)
