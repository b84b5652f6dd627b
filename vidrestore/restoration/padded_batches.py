"""A restorer with few batch sizes, so that a face's result does not depend on the others in its batch.

Kernels depend on the size of a batch, and in 16 bits they round differently: a face alone and the same face
in a batch of four differ by up to three codes of 255. Which faces are in a short batch depends on where a
video starts, so segments would differ from the whole video.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from vidrestore.restoration.generator import FaceCodes, FaceFeatures
from vidrestore.restoration.restorer import DrawnT, EstimateT, FaceRestorer, FusedT, InputT
from vidrestore.types import FloatArray

BATCH_MULTIPLE = 4
"""Batch sizes are multiples of this, so at most three faces are computed unnecessarily."""

T = TypeVar("T")
R = TypeVar("R")


class PaddedBatchRestorer(Generic[EstimateT, InputT, DrawnT, FusedT]):
    """A `FaceRestorer` that pads short batches with the last face and drops the additional results."""

    def __init__(self, restorer: FaceRestorer[EstimateT, InputT, DrawnT, FusedT], batch: int) -> None:
        """`batch`: the largest number of faces per call."""
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

    def estimate(self, faces: Sequence[FloatArray]) -> list[EstimateT]:
        return self._restorer.estimate(faces)

    def encode(self, faces: Sequence[InputT]) -> list[FaceFeatures]:
        return self._run_padded(faces, self._restorer.encode)

    def predict(self, features: Sequence[FaceFeatures]) -> list[FaceCodes]:
        return self._run_padded(features, self._restorer.predict)

    def decode(self, codes: Sequence[FaceCodes]) -> list[DrawnT]:
        return self._run_padded(codes, self._restorer.decode)

    def fuse(self, faces: Sequence[tuple[EstimateT, DrawnT]]) -> list[FusedT]:
        return self._restorer.fuse(faces)

    def _run_padded(self, items: Sequence[T], run: Callable[[Sequence[T]], list[R]]) -> list[R]:
        wanted = min(-(-len(items) // BATCH_MULTIPLE) * BATCH_MULTIPLE, max(self._batch, len(items)))
        return run([*items, *[items[-1]] * (wanted - len(items))])[: len(items)]
