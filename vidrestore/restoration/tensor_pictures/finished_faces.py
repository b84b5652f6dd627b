"""The end of the device's work on a frame: its faces are composited there, and only codes come back."""

from __future__ import annotations

import torch
from torch import Tensor

from vidrestore.restoration.face_state import FaceState, FrameStates
from vidrestore.restoration.pinned_copies import to_device
from vidrestore.restoration.tensor_pictures.colour_match import match_colour
from vidrestore.restoration.tensor_pictures.compositing import composite_tensors
from vidrestore.restoration.tensor_pictures.memory import with_freed_memory
from vidrestore.restoration.tensor_pictures.pictures import (
    TensorEstimate,
    TensorFace,
    TensorFused,
    TensorPicture,
)
from vidrestore.restoration.tensor_pictures.resampling import resized_tensors
from vidrestore.runtime.launching_thread import launch
from vidrestore.settings.sidecar import Grain
from vidrestore.types import FloatArray, Frame, FrameFaces, RestoredFace


def composite_on_device(
    item: FrameStates, *, strength: float, grain: Grain
) -> tuple[Frame, FrameFaces[RestoredFace]] | None:
    """The composited frame, and its faces without pictures; None: its pictures are not on a device.

    Args:
        item: A frame with the final states of its faces.
        strength: As for `compositing.composite`.
        grain: As for `compositing.composite`.
    """
    states = [face for face in item.faces if face.distance == 0]
    if not all(_is_on_device(face) for face in states):
        return None

    def composited() -> tuple[Frame, list[TensorFace]]:
        faces = [_tensor_face(face) for face in states]
        return composite_tensors(item.frame, faces, strength=strength, grain=grain), faces

    frame, faces = with_freed_memory(composited)
    shown = tuple(face.without_pictures() for face in faces)
    return frame, FrameFaces(frame=item.frame, faces=shown, scene=item.scene)


def _is_on_device(face: FaceState) -> bool:
    return isinstance(
        face.generated if face.estimate is None else face.estimate, TensorEstimate | TensorPicture
    )


def _tensor_face(face: FaceState) -> TensorFace:
    estimate, fused = face.estimate, face.fused
    if estimate is None:
        return _drawn_face(face)
    assert isinstance(estimate, TensorEstimate)
    original = estimate.given
    if face.aligned.gain != 1:  # the estimated picture has another brightness
        original = _uploaded(face.aligned.image, original.device)
    image, drawn = (fused.picture, fused.drawn) if isinstance(fused, TensorFused) else (estimate.mean, 0.0)
    return TensorFace(place=face.aligned, image=image, estimate=estimate.mean, original=original, drawn=drawn)


def _drawn_face(face: FaceState) -> TensorFace:
    """A face that is drawn as a whole, with the footage's brightness and colour."""
    assert isinstance(face.generated, TensorPicture)
    generated, given = face.generated.picture, face.picture
    device = generated.device
    picture = given if isinstance(given, Tensor) else _uploaded(given, device)
    original = picture if face.aligned.gain == 1 else _uploaded(face.aligned.image, device)
    image = launch(
        device, lambda: match_colour(resized_tensors(generated[None], picture.shape[-1])[0], picture)
    )
    return TensorFace(place=face.aligned, image=image, estimate=None, original=original, drawn=1.0)


def _uploaded(picture: FloatArray, device: torch.device) -> Tensor:
    """A picture (S, S, 3) as (3, S, S) on the device."""
    return to_device([picture], device)[0].permute(2, 0, 1)
