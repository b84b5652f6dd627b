"""The end of the device's work on a frame: its faces are composited there, and only codes come back."""

from __future__ import annotations

from vidrestore.colour.hdr import needs_tone_mapping
from vidrestore.faces.compositing import Grain
from vidrestore.restoration.face_state import FaceState, FrameStates
from vidrestore.restoration.pinned_copies import to_device
from vidrestore.restoration.tensor_pictures.compositing import composite_tensors
from vidrestore.restoration.tensor_pictures.memory import with_freed_memory
from vidrestore.restoration.tensor_pictures.pictures import TensorEstimate, TensorFace, TensorFused
from vidrestore.types import Frame, FrameFaces, RestoredFace


def composite_on_device(
    item: FrameStates, *, strength: float, grain: Grain
) -> tuple[Frame, FrameFaces[RestoredFace]] | None:
    """The composited frame, and its faces without pictures; None: OpenCV has to composite it.

    OpenCV composites HDR frames and faces that are drawn as a whole.

    Args:
        item: A frame with the final states of its faces.
        strength: As for `compositing.composite`.
        grain: As for `compositing.composite`.
    """
    found = [_tensor_face(face) for face in item.faces if face.distance == 0]
    faces = [face for face in found if face is not None]
    if len(faces) < len(found) or needs_tone_mapping(item.frame.colour):
        return None
    frame = with_freed_memory(lambda: composite_tensors(item.frame, faces, strength=strength, grain=grain))
    shown = tuple(face.without_pictures() for face in faces)
    return frame, FrameFaces(frame=item.frame, faces=shown, scene=item.scene)


def _tensor_face(face: FaceState) -> TensorFace | None:
    estimate, fused = face.estimate, face.fused
    if not isinstance(estimate, TensorEstimate):
        return None
    original = estimate.given
    if face.aligned.gain != 1:  # the estimated picture has another brightness
        original = to_device([face.aligned.image], original.device)[0].permute(2, 0, 1)
    image, drawn = (fused.picture, fused.drawn) if isinstance(fused, TensorFused) else (estimate.mean, 0.0)
    return TensorFace(place=face.aligned, image=image, estimate=estimate.mean, original=original, drawn=drawn)
