"""Composites restored faces into the planes of their frame, on the device: `faces.compositing` for tensors.

Only the codes of the face's region go to the device and come back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidrestore.faces import compositing
from vidrestore.faces.alignment import similarity_scale, transform_points
from vidrestore.faces.compositing import Grain
from vidrestore.faces.grain import AUTO_GRAIN
from vidrestore.restoration.tensor_pictures.filters import low_pass
from vidrestore.restoration.tensor_pictures.grain import extract_grain
from vidrestore.restoration.tensor_pictures.masks import face_mask, head_mask
from vidrestore.restoration.tensor_pictures.pictures import TensorFace
from vidrestore.restoration.tensor_pictures.planes import Region, add_change
from vidrestore.restoration.tensor_pictures.resampling import affine_positions, sample_at
from vidrestore.runtime.launching_thread import launch
from vidrestore.settings.sidecar import FaceTreatment
from vidrestore.types import FloatArray, Frame, Plane


def composite_tensors(
    frame: Frame, faces: Sequence[TensorFace], *, strength: float = 1.0, grain: Grain = "auto"
) -> Frame:
    """The frame with its restored faces composited; the same frame if there are none. SDR only.

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
        _paste(frame, planes, face, how, occupied)
    return replace(frame, planes=tuple(planes))


class _Occupied:
    """The shares of the frame that faces cover so far, each (height, width) in 0..1."""

    def __init__(self, frame: Frame, device: torch.device) -> None:
        shares = launch(device, lambda: torch.zeros(2, frame.height, frame.width, device=device))
        self.head, self.face = shares


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a crop is in the frame."""

    region: Region
    matrix: NDArray[np.float64]
    """(2, 3) from the region's px to the crop's."""
    scale: float
    """Factor from the frame's px to the crop's."""

    def warped(self, crop: Tensor) -> Tensor:
        """(C, h, w) a crop (C, S, S) in the region; 0 outside of the crop."""
        x0, y0, x1, y1 = self.region
        x, y = affine_positions(self.matrix, x1 - x0, y1 - y0, crop.device)
        return sample_at(crop[None], x[None], y[None], padding="zeros")[0]


def _placed(mask: FloatArray, to_crop: NDArray[np.float64], frame: Frame) -> _Place | None:
    """Where the mask is in the frame; None: nowhere."""
    region = compositing.region_of(mask, to_crop, frame)
    if region is None:
        return None
    matrix = to_crop.copy()
    matrix[:, 2] += to_crop[:, :2] @ np.array(region[:2])
    return _Place(region, matrix, similarity_scale(to_crop))


def _paste(
    frame: Frame,
    planes: list[Plane],
    face: TensorFace,
    how: FaceTreatment,
    occupied: _Occupied | None,
) -> None:
    size, to_crop, device = face.size, face.place.to_crop, face.image.device
    # The whole mask, so that the GPU need not be asked where the picture changed.
    place = _placed(compositing.head_mask(size), to_crop, frame)
    if place is None:
        return
    points = transform_points(to_crop, face.place.landmarks)
    share = how.strength * face.place.opacity
    if occupied is None:
        change = partial(_change, face, how, place, points, share)
        add_change(frame, planes, place.region, device, change)
        return
    shown = launch(device, lambda: _with_grain(face, head_mask(size, device), how))
    outer = partial(_change_of_estimate, face, shown, place, share, occupied.head)
    add_change(frame, planes, place.region, device, outer)
    inner = np.minimum(compositing.face_mask(points, size), compositing.head_mask(size))
    place = _placed(inner, to_crop, frame)
    if place is not None:
        drawing = partial(_change_of_drawing, face, shown, place, points, share, occupied.face)
        add_change(frame, planes, place.region, device, drawing)


def _change(
    face: TensorFace, how: FaceTreatment, place: _Place, points: NDArray[np.float64], share: float
) -> tuple[Tensor, Tensor]:
    """The change (3, h, w) of the whole face in its region, and its weight (h, w)."""
    head = head_mask(face.size, face.image.device)
    oval = torch.minimum(face_mask(points, face.size, face.image.device), head)
    shown = _with_grain(face, head, how)
    target = face.original + head * (shown - face.original) + oval * (face.image - face.estimate)
    delta = place.warped(low_pass((target.clamp(0, 1) - face.original)[None], 1 / place.scale)[0])
    return delta, torch.full_like(delta[0], share)


def _change_of_estimate(
    face: TensorFace, shown: Tensor, place: _Place, share: float, taken: Tensor
) -> tuple[Tensor, Tensor]:
    """The change of the head to the estimate that is shown, where no other face is; `taken` is updated."""
    return _masked(place, shown - face.original, head_mask(face.size, shown.device), share, taken)


def _change_of_drawing(
    face: TensorFace,
    shown: Tensor,
    place: _Place,
    points: NDArray[np.float64],
    share: float,
    taken: Tensor,
) -> tuple[Tensor, Tensor]:
    """The change by drawn detail, where no other face is; `taken` is updated."""
    oval = torch.minimum(face_mask(points, face.size, shown.device), head_mask(face.size, shown.device))
    whole = (shown + (face.image - face.estimate)).clamp(0, 1) - face.original
    return _masked(place, whole - (shown - face.original), oval, share, taken)


def _masked(
    place: _Place, difference: Tensor, mask: Tensor, share: float, taken: Tensor
) -> tuple[Tensor, Tensor]:
    """A change (3, S, S) under a mask (S, S) in its region; `taken`, the share of other faces, is updated."""
    x0, y0, x1, y1 = place.region
    delta = place.warped(low_pass(difference[None], 1 / place.scale)[0])
    occupied = taken[y0:y1, x0:x1]
    weight = place.warped(mask[None])[0] * share * (1 - occupied)
    occupied += weight
    return delta, weight


def _with_grain(face: TensorFace, mask: Tensor, how: FaceTreatment) -> Tensor:
    """The estimate with a share of the footage's grain."""
    grain = AUTO_GRAIN if how.grain == "auto" else how.grain
    if not grain:
        return face.estimate
    film = face.original * face.place.gain
    return (face.estimate + grain * extract_grain(film, face.estimate, mask)).clamp(0, 1)
