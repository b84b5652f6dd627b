"""The result of the analysis for each frame, and its binary form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vidrestore.types import TrackedFace
from vidrestore.video import FrameFingerprint

_FACE = np.dtype(
    [
        ("moment", "u1"),
        ("track_id", "<i4"),
        ("box", "<f4", 4),
        ("landmarks", "<f4", (5, 2)),
        ("score", "<f8"),
        ("observed", "?"),
        ("opacity", "<f8"),
    ]
)

FACE_BYTES = _FACE.itemsize


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRecord:
    """A frame and its tracked faces, for each of its moments: two if it is interlaced, else one."""

    fingerprint: FrameFingerprint
    scenes: tuple[int, ...]
    """Scene number of each moment."""
    faces: tuple[tuple[TrackedFace, ...], ...]
    """Faces of each moment."""
    lost: int = 0
    """Number of frames lost between the previous frame and this one."""
    concealed: int = 0
    """1 if the decoder concealed errors in this frame, else 0."""


def pack_faces(moments: Sequence[Sequence[TrackedFace]]) -> bytes:
    """The faces as bytes, without loss of precision."""
    rows = [
        (moment, f.track_id, f.box, f.landmarks, f.score, f.observed, f.opacity)
        for moment, faces in enumerate(moments)
        for f in faces
    ]
    return np.array(rows, _FACE).tobytes()


def unpack_faces(data: bytes, moments: int) -> tuple[tuple[TrackedFace, ...], ...]:
    """The inverse of `pack_faces`."""
    rows = np.frombuffer(data, _FACE)
    return tuple(
        tuple(
            TrackedFace(
                track_id=int(row["track_id"]),
                box=row["box"].astype(np.float32),
                landmarks=row["landmarks"].astype(np.float32),
                score=float(row["score"]),
                observed=bool(row["observed"]),
                opacity=float(row["opacity"]),
            )
            for row in rows
            if row["moment"] == moment
        )
        for moment in range(moments)
    )
