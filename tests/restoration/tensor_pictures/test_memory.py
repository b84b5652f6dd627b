"""A lack of a GPU's memory is answered by freeing memory, then by one clear error message."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from tests.support.memory_errors import DEVICE_ERRORS
from vidrestore.errors import ProcessingError
from vidrestore.restoration import stage
from vidrestore.restoration.tensor_pictures.memory import with_freed_memory


class Failing:
    def __init__(self, times: int, error: Exception) -> None:
        self.times, self.error = times, error

    def __call__(self) -> int:
        self.times -= 1
        if self.times >= 0:
            raise self.error
        return 7


@pytest.mark.parametrize("error", DEVICE_ERRORS)
def test_work_is_repeated_once_after_memory_was_freed(error: Callable[[], Exception]) -> None:
    assert with_freed_memory(Failing(1, error())) == 7


def test_work_that_does_not_fit_into_memory_is_one_error_message() -> None:
    with pytest.raises(ProcessingError, match="not enough memory on the GPU"):
        with_freed_memory(Failing(2, torch.OutOfMemoryError("CUDA out of memory")))


def test_errors_other_than_a_lack_of_memory_are_raised_unchanged() -> None:
    with pytest.raises(RuntimeError, match="a defect"):
        with_freed_memory(Failing(1, RuntimeError("a defect")))


@pytest.mark.parametrize("error", DEVICE_ERRORS)
def test_a_lack_of_memory_at_the_copy_back_for_python_is_answered_by_freeing(
    error: Callable[[], Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, failures = stage.from_device, [error()]

    def copy_later(tensors: torch.Tensor) -> list[np.ndarray]:
        if failures:
            raise failures.pop()
        return copy(tensors)

    monkeypatch.setattr(stage, "from_device", copy_later)
    assert stage._array(torch.ones(3, 4, 4)).shape == (4, 4, 3)
    assert not failures
