"""Restores aligned faces independently of each other, without blending over time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from vidrestore.evidence.pyramid import MULTIPLE
from vidrestore.faces.colour_match import match_colour
from vidrestore.restoration.estimator import resized
from vidrestore.restoration.face_estimate import FaceEstimate, FusedFace
from vidrestore.restoration.restorer import ArrayRestorer
from vidrestore.types import AlignedFace, FloatArray, RestoredFace

BATCH = 4
"""Default number of faces that a network computes together."""


def restore_aligned(
    restorer: ArrayRestorer, faces: Sequence[FloatArray], *, batch: int = BATCH, own_colour: bool = False
) -> Iterator[FusedFace]:
    """The restored faces, in order.

    Args:
        restorer: The networks.
        faces: Faces (S, S, 3) RGB in 0..1; S may differ.
        batch: Faces that a network computes together.
        own_colour: At fidelity 0, whether faces keep the colour of the generator, as in the paper. Otherwise
            they get the colour of the input.
    """
    for start in range(0, len(faces), batch):
        part = faces[start : start + batch]
        estimates = restorer.estimate([_padded(face) for face in part]) if restorer.estimates else None
        yield from _restore_batch(restorer, part, own_colour, estimates)


def restore_aligned_faces(restorer: ArrayRestorer, faces: Sequence[AlignedFace]) -> tuple[RestoredFace, ...]:
    """The restored faces of one frame, for compositing."""
    restored = []
    for start in range(0, len(faces), BATCH):
        part = faces[start : start + BATCH]
        pictures = [face.image for face in part]
        estimates = restorer.estimate(pictures) if restorer.estimates else None
        fused = _restore_batch(restorer, pictures, False, estimates)
        for index, (face, result) in enumerate(zip(part, fused, strict=True)):
            restored.append(
                RestoredFace(
                    track_id=face.track_id,
                    to_crop=face.to_crop,
                    image=result.picture,
                    estimate=None if estimates is None else estimates[index].mean,
                    original=face.image,
                    landmarks=face.landmarks,
                    opacity=face.opacity,
                    drawn=result.drawn,
                )
            )
    return tuple(restored)


def _restore_batch(
    restorer: ArrayRestorer,
    faces: Sequence[FloatArray],
    own_colour: bool,
    estimates: Sequence[FaceEstimate] | None,
) -> list[FusedFace]:
    if estimates is None:
        return [
            FusedFace(picture=drawn if own_colour else match_colour(drawn, face), drawn=1.0)
            for face, drawn in zip(faces, _generate(restorer, faces), strict=True)
        ]
    results = [FusedFace(picture=estimate.mean, drawn=0.0) for estimate in estimates]
    if restorer.generates:
        unsure = [index for index, estimate in enumerate(estimates) if not estimate.is_certain]
        means = [_without_padding(estimates[index].mean, faces[index]) for index in unsure]
        pairs: list[tuple[FaceEstimate, FloatArray]] = [
            (estimates[index], _padded(drawn))
            for index, drawn in zip(unsure, _generate(restorer, means), strict=True)
        ]
        for index, fused in zip(unsure, restorer.fuse(pairs), strict=True):
            results[index] = fused
    return [
        replace(result, picture=_without_padding(result.picture, face))
        for result, face in zip(results, faces, strict=True)
    ]


def _padded(face: FloatArray) -> FloatArray:
    """The face, enlarged to a multiple of 16 pixels by repeating its last pixels."""
    more = -face.shape[0] % MULTIPLE
    return np.pad(face, ((0, more), (0, more), (0, 0)), mode="edge") if more else face


def _without_padding(picture: FloatArray, face: FloatArray) -> FloatArray:
    side = face.shape[0]
    return picture[:side, :side]


def _generate(restorer: ArrayRestorer, faces: Sequence[FloatArray]) -> list[FloatArray]:
    """The drawn faces, each at the size of its input."""
    if not faces:
        return []
    small = [resized(face, restorer.size) for face in faces]
    drawn = restorer.decode(restorer.predict(restorer.encode(small)))
    return [resized(picture, face.shape[0]) for picture, face in zip(drawn, faces, strict=True)]
