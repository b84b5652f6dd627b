"""Messages for errors that the operating system or a lack of memory causes, anywhere in the program."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from vidrestore.errors import ProcessingError, UsageError, VidrestoreError

_OUT_OF_MEMORY = (
    "out of memory", "not enough memory", "can't allocate memory", "cannot allocate memory", "bad_alloc",
    "insufficient memory", "unable to allocate", "can't start new thread", "failed to map segment",
    "alloc_failed", "allocation_failed", "unable to find an engine", "invalid buffer size",
    "cublas_status_not_initialized", "cudnn_status_not_initialized",
)  # fmt: skip
"""Parts of the messages of PyTorch's allocators (for Metal: an invalid size), cuBLAS and cuDNN (which are not
initialised without memory for their handles, and whose engines need a workspace), NumPy, OpenCV, FFmpeg and
the system's loader."""
_OF_THE_HOST = ("defaultcpuallocator", "host_allocation_failed")
_WRONG_NAMES = {errno.ENAMETOOLONG, errno.ELOOP, errno.EILSEQ}


def to_system_error(error: BaseException) -> VidrestoreError | None:
    """The error to show the user; None: it is a defect of the program.

    Args:
        error: Any exception.
    """
    if any(is_out_of_memory(cause) for cause in _causes(error)):
        return ProcessingError(
            "there is not enough memory; close other programs, raise the limit if there is one (ulimit "
            "-v), or try a smaller --batch, fewer --workers or the smaller --model compact"
        )
    if not isinstance(error, OSError) or error.errno is None:
        return None
    place = f"{error.filename}: " if error.filename else ""
    kind = UsageError if error.errno in _WRONG_NAMES else ProcessingError
    return kind(f"the system reports an error: {place}{error.strerror or error}")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory, or a resource that needs memory, such as a thread, could not be allocated."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    # torch.OutOfMemoryError is a RuntimeError with such a message, too.
    text = str(error).lower()
    return isinstance(error, Exception) and any(words in text for words in _OUT_OF_MEMORY)


def is_device_out_of_memory(error: BaseException) -> bool:
    """Whether memory of a GPU, not of the computer, could not be allocated."""
    text = str(error).lower()
    of_the_host = isinstance(error, MemoryError | OSError) or any(words in text for words in _OF_THE_HOST)
    return is_out_of_memory(error) and not of_the_host


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and its causes, the latest first."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        yield cause
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__
