"""A batch that does not fit is halved; results stay the same and in place."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch

from tests.support.memory_errors import DEVICE_ERRORS, HOST_ERRORS
from tests.support.restorers import SIZE, MirrorRestorer, envelope
from vidrestore.errors import ProcessingError
from vidrestore.restoration import (
    FaceCodes,
    FaceEstimate,
    FaceFeatures,
    FusedFace,
    OomRetryRestorer,
    TemporalBlend,
    restore,
)
from vidrestore.types import FloatArray

ERRORS = DEVICE_ERRORS + HOST_ERRORS
STEPS = ("estimate", "encode", "predict", "decode", "fuse")


class SmallRestorer(MirrorRestorer):
    """Has memory for `limit` faces at a time in `step`, after `roomy` batches that all fit."""

    def __init__(
        self,
        limit: int,
        error: Callable[[], Exception] = ERRORS[0],
        step: str = "encode",
        *,
        roomy: int = 0,
    ) -> None:
        super().__init__()
        self.limit, self.error, self.step, self.roomy = limit, error, step, roomy
        self.failures = 0

    def estimate(self, faces: Sequence[FloatArray]) -> list[FaceEstimate]:
        self._check(len(faces), "estimate")
        return super().estimate(faces)

    def encode(self, faces: Sequence[FloatArray]) -> list[FaceFeatures]:
        self._check(len(faces), "encode")
        return super().encode(faces)

    def predict(self, features: Sequence[FaceFeatures]) -> list[FaceCodes]:
        self._check(len(features), "predict")
        return super().predict(features)

    def decode(self, codes: Sequence[FaceCodes]) -> list[FloatArray]:
        self._check(len(codes), "decode")
        return super().decode(codes)

    def fuse(self, faces: Sequence[tuple[FaceEstimate, FloatArray]]) -> list[FusedFace]:
        self._check(len(faces), "fuse")
        return super().fuse(faces)

    def _check(self, count: int, step: str) -> None:
        if step != self.step or count <= self.limit:
            return
        self.roomy -= 1
        if self.roomy < 0:
            self.failures += 1
            raise self.error()


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("step", STEPS)
def test_a_batch_that_does_not_fit_is_halved_for_all_later_batches(
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


@pytest.mark.parametrize("step", STEPS)
def test_a_later_batch_that_does_not_fit_is_halved(step: str, caplog: pytest.LogCaptureFixture) -> None:
    """Another program may take memory in the middle of a run."""
    items = [envelope(i, {0: 0.01 * i}) for i in range(16)]
    roomy = list(restore(items, MirrorRestorer(), TemporalBlend(strength=1.0), batch=4))
    small = SmallRestorer(2, step=step, roomy=2)
    with caplog.at_level(logging.WARNING, logger="vidrestore"):
        tight = list(restore(items, OomRetryRestorer(small), TemporalBlend(strength=1.0), batch=4))
    assert small.failures == 1
    assert "out of memory with 4 faces together; continuing with 2" in caplog.text
    for a, b in zip(roomy, tight, strict=True):
        assert np.array_equal(a.faces[0].image, b.faces[0].image)


def test_an_error_is_raised_if_not_even_one_face_fits() -> None:
    sentence = f"is not enough memory for one face of {SIZE} pixels"
    with pytest.raises(ProcessingError, match=sentence) as caught:
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


def test_tensors_of_a_failed_batch_are_freed_before_the_next_attempt() -> None:
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
