"""A restorer that computes in few sizes of batch, so that a face's result does not depend on its company.

Kernels are chosen by the size of a batch, and in 16 bits each rounds differently: a face alone and the same
face among four differ by up to three codes of 255. Which faces meet in a short batch depends on where a video
begins, so segments of a film would differ from the film.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from vidrestore.restoration.face_estimate import FaceEstimate, FusedFace
from vidrestore.restoration.generator import FaceCodes, FaceFeatures
from vidrestore.restoration.restorer import FaceRestorer
from vidrestore.types import FloatArray

BATCH_MULTIPLE = 4
"""Batches hold a multiple of so many faces: at most three are computed in vain."""

T = TypeVar("T")
R = TypeVar("R")


class PaddedBatchRestorer:
    """A `FaceRestorer` that fills up short batches with the last face and drops what comes of it."""

    def __init__(self, restorer: FaceRestorer, batch: int) -> None:
        """`batch`: the most faces it will be given at once."""
        self._restorer, self._batch = restorer, batch

    @property
    def size(self) -> int:
        return self._restorer.size

    @property
    def estimates(self) -> bool:
        return self._restorer.estimates

    @property
    def generates(self) -> bool:
        return self._restorer.generates

    def estimate(self, faces: Sequence[FloatArray]) -> list[FaceEstimate]:
        return self._restorer.estimate(faces)

    def encode(self, faces: Sequence[FloatArray]) -> list[FaceFeatures]:
        return self._run_padded(faces, self._restorer.encode)

    def predict(self, features: Sequence[FaceFeatures]) -> list[FaceCodes]:
        return self._run_padded(features, self._restorer.predict)

    def decode(self, codes: Sequence[FaceCodes]) -> list[FloatArray]:
        return self._run_padded(codes, self._restorer.decode)

    def fuse(self, faces: Sequence[tuple[FaceEstimate, FloatArray]]) -> list[FusedFace]:
        return self._restorer.fuse(faces)

    def _run_padded(self, items: Sequence[T], run: Callable[[Sequence[T]], list[R]]) -> list[R]:
        wanted = min(-(-len(items) // BATCH_MULTIPLE) * BATCH_MULTIPLE, max(self._batch, len(items)))
        return run([*items, *[items[-1]] * (wanted - len(items))])[: len(items)]
