"""Operations that Apple's GPU lacks in PyTorch: the CPU computes them, and a warning names each."""

from __future__ import annotations

import logging
import os
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from vidrestore.errors import DeviceError

_VARIABLE = "PYTORCH_ENABLE_MPS_FALLBACK"
_FALLBACK = re.compile(r"operator '(?:aten::)?([\w.]+)'.*not (?:currently )?(?:supported|implemented)", re.S)

logger = logging.getLogger(__name__)


def allow_cpu_fallback(system: str = sys.platform) -> None:
    """Lets the CPU compute what Apple's GPU cannot, with a warning. Call it before torch is imported.

    A value that the user has set is not changed.
    """
    if system != "darwin":
        return
    os.environ.setdefault(_VARIABLE, "1")
    name_fallbacks()


def name_fallbacks() -> None:
    """Turns PyTorch's Python warnings about fallbacks into one log message for each operation."""
    shown_before = warnings.showwarning
    named: set[str] = set()

    def show(message: Warning | str, *arguments: Any, **named_arguments: Any) -> None:
        operation = fallback_operation(str(message))
        if operation is None:
            shown_before(message, *arguments, **named_arguments)
        elif operation not in named:
            named.add(operation)
            logger.warning(
                "this PyTorch has no '%s' for Apple's GPU: the CPU computes it, which is slower", operation
            )

    warnings.showwarning = show


def fallback_operation(message: str) -> str | None:
    """The operation that a message of PyTorch names as missing on MPS; None: it is about something else."""
    found = _FALLBACK.search(message)
    return found.group(1) if found is not None and "MPS" in message else None


@contextmanager
def missing_operations_named() -> Iterator[None]:
    """In this block, an operation that Apple's GPU lacks is an error in one sentence.

    Raises:
        DeviceError: The block needs such an operation.
    """
    try:
        yield
    except NotImplementedError as error:
        operation = fallback_operation(str(error))
        if operation is None:
            raise
        raise DeviceError(
            f"this PyTorch has no '{operation}' for Apple's GPU; set {_VARIABLE}=1 before Python starts, so "
            "that the CPU computes it, or try --device cpu"
        ) from error
