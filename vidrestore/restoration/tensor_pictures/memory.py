"""What happens when picture work does not fit into a device's memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from vidrestore.errors import ProcessingError
from vidrestore.runtime.device_memory import release_unused_memory
from vidrestore.runtime.system_errors import is_out_of_memory

R = TypeVar("R")


def with_freed_memory(compute: Callable[[], R]) -> R:
    """The result of `compute`, which is repeated once after unused memory is freed.

    Raises:
        ProcessingError: There is not enough memory for a single face.
    """
    for _ in range(2):
        # The error must be released before the next try: its traceback references the tensors.
        try:
            return compute()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        release_unused_memory()
    raise ProcessingError(
        "there is not enough memory on the GPU for the faces that wait there: close other programs, choose a "
        "smaller --batch, or another --device"
    )
