"""A batch that does not fit is halved; results stay the same and in place."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch

from tests.support.restorers import MirrorRestorer, envelope
from vidrestore.errors import ProcessingError
from vidrestore.restoration import FaceCodes, FaceFeatures, OomRetryRestorer, TemporalBlend, restore
from vidrestore.types import FloatArray

ERRORS: list[Callable[[], Exception]] = [
    lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    lambda: RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory"),
    lambda: RuntimeError("MPS backend out of memory (MPS allocated: 6.0 GB)"),
    lambda: RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    lambda: RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
    lambda: RuntimeError("GET was unable to find an engine to execute this computation"),
    lambda: MemoryError("Unable to allocate 3.0 GiB for an array"),
]


class SmallRestorer(MirrorRestorer):
    """Has memory for `limit` faces at a time, in `step` or in all of them."""

    def __init__(self, limit: int, error: Callable[[], Exception] = ERRORS[0], step: str = "encode") -> None:
        super().__init__()
        self.limit, self.error, self.step = limit, error, step
        self.failures = 0

    def encode(self, faces: Sequence[FloatArray]) -> list[FaceFeatures]:
        self._check(len(faces), "encode")
        return super().encode(faces)

    def decode(self, codes: Sequence[FaceCodes]) -> list[FloatArray]:
        self._check(len(codes), "decode")
        return super().decode(codes)

    def _check(self, count: int, step: str) -> None:
        if step == self.step and count > self.limit:
            self.failures += 1
            raise self.error()


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("step", ["encode", "decode"])
def test_a_batch_too_large_is_halved_once_and_for_all(
    error: Callable[[], Exception], step: str, caplog: pytest.LogCaptureFixture
) -> None:
    items = [envelope(i, {0: 0.01 * i, 1: 0.5 + 0.01 * i, 2: 0.9}) for i in range(16)]
    roomy = list(restore(items, MirrorRestorer(), TemporalBlend(strength=1.0), batch=16))
    small = SmallRestorer(5, error, step)
    with caplog.at_level(logging.WARNING, logger="vidrestore"):
        tight = list(restore(items, OomRetryRestorer(small), TemporalBlend(strength=1.0), batch=16))
    assert small.failures == 2  # 16 and 8 do not fit, 4 does ever after
    assert [record.getMessage() for record in caplog.records] == [
        "out of memory with 16 faces together; continuing with 8 (--batch sets it)",
        "out of memory with 8 faces together; continuing with 4 (--batch sets it)",
    ]
    for a, b in zip(roomy, tight, strict=True):
        assert [face.track_id for face in a.faces] == [face.track_id for face in b.faces]
        for one, other in zip(a.faces, b.faces, strict=True):
            assert np.array_equal(one.image, other.image)


def test_where_not_even_one_face_fits_a_sentence_ends_it() -> None:
    with pytest.raises(ProcessingError, match="is not enough memory for one face of 4 pixels") as caught:
        OomRetryRestorer(SmallRestorer(0)).encode([np.zeros((4, 4, 3), np.float32)] * 3)
    assert "\n" not in str(caught.value)


def test_a_late_failure_of_another_worker_does_not_raise_the_limit_again() -> None:
    """Two workers fail at once with 8 and 4 faces; the larger batch says so last."""
    both_failed, smaller_noted = threading.Barrier(2), threading.Event()
    tried: list[int] = []

    class Slow(MirrorRestorer):
        def encode(self, faces: Sequence[FloatArray]) -> list[FaceFeatures]:
            tried.append(len(faces))
            if len(tried) <= 2:
                both_failed.wait(10)
                if len(faces) == 8:
                    smaller_noted.wait(10)
                raise torch.OutOfMemoryError("out of memory")
            smaller_noted.set()
            return super().encode(faces)

    restorer = OomRetryRestorer(Slow())
    faces = [np.zeros((4, 4, 3), np.float32)] * 8
    workers = [threading.Thread(target=restorer.encode, args=(faces[:count],)) for count in (8, 4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
    assert sorted(tried[:2]) == [4, 8]
    assert set(tried[2:]) == {2}


def test_other_errors_are_not_taken_for_a_lack_of_memory() -> None:
    small = SmallRestorer(0, lambda: RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="shapes"):
        OomRetryRestorer(small).encode([np.zeros((4, 4, 3), np.float32)] * 2)
    assert small.failures == 1


def test_what_failed_is_let_go_before_the_next_try() -> None:
    class Tensor:
        alive = 0

        def __init__(self) -> None:
            Tensor.alive += 1

        def __del__(self) -> None:
            Tensor.alive -= 1

    class Holding(MirrorRestorer):
        def encode(self, faces: Sequence[FloatArray]) -> list[FaceFeatures]:
            assert Tensor.alive == 0
            held = Tensor()
            if len(faces) > 1:
                raise torch.OutOfMemoryError("out of memory")
            del held
            return super().encode(faces)

    assert len(OomRetryRestorer(Holding()).encode([np.zeros((4, 4, 3), np.float32)] * 5)) == 5
