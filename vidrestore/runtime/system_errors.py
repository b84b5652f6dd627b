"""Errors that the system or a lack of memory has caused, wherever they were met, as sentences."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from vidrestore.errors import ProcessingError, UsageError, VidrestoreError

_OUT_OF_MEMORY = (
    "out of memory", "not enough memory", "can't allocate memory", "cannot allocate memory", "bad_alloc",
    "insufficient memory", "unable to allocate", "can't start new thread", "failed to map segment",
    "alloc_failed", "allocation_failed", "unable to find an engine",
)  # fmt: skip
"""What PyTorch's allocators, cuBLAS, cuDNN (whose engines need a workspace), NumPy, OpenCV, FFmpeg and the
system's loader say, by device and system."""
_WRONG_NAMES = {errno.ENAMETOOLONG, errno.ELOOP, errno.EILSEQ}


def to_system_error(error: BaseException) -> VidrestoreError | None:
    """The sentence for it; None: it is a defect of this program."""
    if any(is_out_of_memory(cause) for cause in _causes(error)):
        return ProcessingError(
            "memory does not suffice; close other programs, raise the limit if there is one (ulimit -v), or "
            "try a smaller --batch, fewer --workers or the smaller --model compact"
        )
    if not isinstance(error, OSError) or error.errno is None:
        return None
    place = f"{error.filename}: " if error.filename else ""
    kind = UsageError if error.errno in _WRONG_NAMES else ProcessingError
    return kind(f"the system reports an error: {place}{error.strerror or error}")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory, or what is made of it, did not suffice."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    # torch.OutOfMemoryError is a RuntimeError that says so as well.
    text = str(error).lower()
    return isinstance(error, Exception) and any(words in text for words in _OUT_OF_MEMORY)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and those that led to it, the last first."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        yield cause
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__
