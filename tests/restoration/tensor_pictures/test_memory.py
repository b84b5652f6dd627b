"""A lack of a GPU's memory is answered by freeing, then by one clear sentence."""

from __future__ import annotations

import pytest
import torch

from vidrestore.errors import ProcessingError
from vidrestore.restoration.tensor_pictures.memory import with_freed_memory


class Failing:
    def __init__(self, times: int, error: Exception) -> None:
        self.times, self.error = times, error

    def __call__(self) -> int:
        self.times -= 1
        if self.times >= 0:
            raise self.error
        return 7


def test_work_is_repeated_once_after_memory_was_freed() -> None:
    assert with_freed_memory(Failing(1, torch.OutOfMemoryError("CUDA out of memory"))) == 7


def test_work_that_does_not_fit_ends_in_a_sentence() -> None:
    with pytest.raises(ProcessingError, match="not enough memory on the GPU"):
        with_freed_memory(Failing(2, torch.OutOfMemoryError("CUDA out of memory")))


def test_other_errors_stay_as_they_are() -> None:
    with pytest.raises(RuntimeError, match="a defect"):
        with_freed_memory(Failing(1, RuntimeError("a defect")))
