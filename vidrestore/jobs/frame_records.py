"""What the analysis knows of each frame, as values and as bytes."""

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
    """A frame and the faces that were followed into it, for each of its moments: two if interlaced."""

    fingerprint: FrameFingerprint
    scenes: tuple[int, ...]
    """The number of the scene, for each moment."""
    faces: tuple[tuple[TrackedFace, ...], ...]
    """For each moment."""
    lost: int = 0
    """Frames noticed as lost since the one before."""
    concealed: int = 0
    """1 where the decoder had to patch it."""


def pack_faces(moments: Sequence[Sequence[TrackedFace]]) -> bytes:
    """The faces as bytes, every number as it is."""
    rows = [
        (moment, f.track_id, f.box, f.landmarks, f.score, f.observed, f.opacity)
        for moment, faces in enumerate(moments)
        for f in faces
    ]
    return np.array(rows, _FACE).tobytes()


def unpack_faces(data: bytes, moments: int) -> tuple[tuple[TrackedFace, ...], ...]:
    """What `pack_faces` was given."""
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
