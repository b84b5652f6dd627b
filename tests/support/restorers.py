"""A restorer without a network, and frames with faces for it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import torch

from vidrestore.evidence.pyramid import BANDS
from vidrestore.restoration import FaceCodes, FaceEstimate, FaceFeatures, FusedFace
from vidrestore.types import AlignedFace, ColourTags, FloatArray, Frame, FrameFaces, PixelFormat

SIZE = 16
"""The smallest of which the evidence network has all bands."""


GREY = PixelFormat(name="gray", family="gray", bit_depth=8)


class MirrorRestorer:
    """Its estimate and its features are the picture itself; its restored face is the picture mirrored."""

    size = SIZE

    def __init__(self, *, estimates: bool = True, generates: bool = True) -> None:
        self.estimates, self.generates = estimates, generates
        self.batches: list[int] = []
        """Faces of each batch that was encoded."""

    def estimate(self, faces: Sequence[FloatArray]) -> list[FaceEstimate]:
        return [estimate_of(face) for face in faces]

    def encode(self, faces: Sequence[FloatArray]) -> list[FaceFeatures]:
        self.batches.append(len(faces))
        return [FaceFeatures(fused=torch.from_numpy(face).permute(2, 0, 1)) for face in faces]

    def predict(self, features: Sequence[FaceFeatures]) -> list[FaceCodes]:
        return [FaceCodes(features=f, log_probabilities=f.fused) for f in features]

    def decode(self, codes: Sequence[FaceCodes]) -> list[FloatArray]:
        return [c.log_probabilities.permute(1, 2, 0).flip(1).numpy() for c in codes]

    def fuse(self, faces: Sequence[tuple[FaceEstimate, FloatArray]]) -> list[FusedFace]:
        return [FusedFace(picture=generated, drawn=0.5) for _, generated in faces]


def estimate_of(
    face: FloatArray, *, scale: float = 0.1, change: float = 1.0, is_certain: bool = False
) -> FaceEstimate:
    """An estimate that is the face itself, with the same scale everywhere."""
    side = face.shape[0] // 2
    scales = np.full((side, side, BANDS), scale, np.float32)
    return FaceEstimate(mean=face, scale=scales, change=change, is_certain=is_certain)


def envelope(
    index: int, tracks: dict[int, float], scene: int = 0, size: int = SIZE
) -> FrameFaces[AlignedFace]:
    """A frame whose faces are flat pictures of a given value."""
    frame = Frame(
        index=index,
        pts=index,
        duration=1,
        time_base=Fraction(1, 25),
        planes=(np.zeros((8, 8), np.uint8),),
        format=GREY,
        colour=ColourTags(),
    )
    faces = tuple(
        AlignedFace(
            track_id=track,
            to_crop=np.eye(2, 3),
            image=np.full((size, size, 3), value, np.float32),
            landmarks=np.zeros((5, 2), np.float32),
        )
        for track, value in tracks.items()
    )
    return FrameFaces(frame=frame, faces=faces, scene=scene)
