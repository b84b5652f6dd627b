"""A restorer that halves its batches when memory is exhausted."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from vidrestore.errors import ProcessingError
from vidrestore.restoration.generator import FaceCodes, FaceFeatures
from vidrestore.restoration.restorer import DrawnT, EstimateT, FaceRestorer, FusedT, InputT
from vidrestore.runtime.device_memory import release_unused_memory
from vidrestore.runtime.system_errors import is_out_of_memory
from vidrestore.types import FloatArray

P = TypeVar("P")
R = TypeVar("R")

logger = logging.getLogger(__name__)


class OomRetryRestorer(Generic[EstimateT, InputT, DrawnT, FusedT]):
    """A `FaceRestorer` with smaller batches after a lack of memory, also for all later batches.

    Its methods raise ProcessingError if a single face does not fit.
    """

    def __init__(self, restorer: FaceRestorer[EstimateT, InputT, DrawnT, FusedT]) -> None:
        self._restorer = restorer
        self._max_faces: int | None = None
        """Limit of the faces per batch; None: no limit so far."""
        self._lock = threading.Lock()

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
        return self._run_in_parts(self._restorer.estimate, faces)

    def encode(self, faces: Sequence[InputT]) -> list[FaceFeatures]:
        return self._run_in_parts(self._restorer.encode, faces)

    def predict(self, features: Sequence[FaceFeatures]) -> list[FaceCodes]:
        return self._run_in_parts(self._restorer.predict, features)

    def decode(self, codes: Sequence[FaceCodes]) -> list[DrawnT]:
        return self._run_in_parts(self._restorer.decode, codes)

    def fuse(self, faces: Sequence[tuple[EstimateT, DrawnT]]) -> list[FusedT]:
        return self._run_in_parts(self._restorer.fuse, faces)

    def _run_in_parts(self, step: Callable[[Sequence[P]], list[R]], parts: Sequence[P]) -> list[R]:
        results: list[R] = []
        while len(results) < len(parts):
            remaining = len(parts) - len(results)
            count = min(remaining, self._max_faces or remaining)
            part = parts[len(results) : len(results) + count]
            # The failed step must be released before the next try: its traceback references the tensors.
            done = _run_or_none(step, part)
            if done is None:
                self._halve(count)
            else:
                results += done
        return results

    def _halve(self, count: int) -> None:
        release_unused_memory()
        if count == 1:
            raise ProcessingError(
                f"there is not enough memory for one face of {self.size} pixels: close other programs, "
                "choose another --device, or the smaller --model compact"
            )
        with self._lock:
            # Another worker may have failed with a smaller batch meanwhile: do not raise the limit again.
            if self._max_faces is not None and self._max_faces <= count // 2:
                return
            self._max_faces = count // 2
        logger.warning(
            "out of memory with %d faces together; continuing with %d (--batch sets it)",
            count,
            count // 2,
        )


def _run_or_none(step: Callable[[Sequence[P]], list[R]], parts: Sequence[P]) -> list[R] | None:
    """The results of the step; None: memory was exhausted."""
    try:
        return step(parts)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return None
