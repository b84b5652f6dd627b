"""A frame with its tracked faces -> the larger frame with the same faces."""

from __future__ import annotations

from dataclasses import replace

from vidrestore.colour.upscale import upscale_frame
from vidrestore.types import FrameFaces, TrackedFace


def upscale_faces(item: FrameFaces[TrackedFace], factor: int) -> FrameFaces[TrackedFace]:
    """The frame enlarged, with its faces where they are in the larger frame.

    Args:
        item: A frame and its tracked faces.
        factor: How many times as many columns and lines; 1: the item itself.
    """
    if factor == 1:
        return item
    faces = tuple(
        # Edges of boxes lie between pixels, points are counted from the middle of the first pixel.
        replace(face, box=face.box * factor, landmarks=(face.landmarks + 0.5) * factor - 0.5)
        for face in item.faces
    )
    return replace(item, frame=upscale_frame(item.frame, factor), faces=faces)
