"""One thread for each device, in which all work on the device is launched.

Otherwise settings that PyTorch has for the whole process, such as TF32, would change while another thread
launches; each thread would keep handles and workspaces of cuBLAS and cuDNN; and the work of several threads
would mix on the device. Results are waited for in the callers' threads, so that the next work is launched
meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from vidrestore.runtime.worker_threads import set_torch_threads

if TYPE_CHECKING:
    import torch

R = TypeVar("R")
NAME = "launching"
"""Of the thread."""

_LOCK = threading.Lock()
_HERE = threading.local()
_LAUNCHERS: dict[tuple[str, int], _Launcher] = {}


class _Launcher:
    """The thread of a device, which lives as long as it has users."""

    def __init__(self) -> None:
        self.users = 0
        self.pool = ThreadPoolExecutor(1, NAME, initializer=self._begin)

    def _begin(self) -> None:
        _HERE.launcher = self
        set_torch_threads(1)


@contextmanager
def launching_thread(device: torch.device) -> Iterator[None]:
    """In this block, `launch` runs in one thread for the device. Blocks for the same device share the thread.

    Leaving the last block waits for the thread.
    """
    key = _key(device)
    with _LOCK:
        launcher = _LAUNCHERS.setdefault(key, _Launcher())
        launcher.users += 1
    try:
        yield
    finally:
        with _LOCK:
            launcher.users -= 1
            is_last = not launcher.users
            if is_last:
                del _LAUNCHERS[key]
        if is_last:
            launcher.pool.shutdown()


def launch(device: torch.device, function: Callable[[], R]) -> R:
    """The result of a function that launches work on a device but does not wait for it, or its error.

    It is computed without gradients, in the device's thread; in the caller's if there is none. Each caller
    waits, so no more functions wait for the thread than there are threads that call.
    """
    with _LOCK:
        launcher = _LAUNCHERS.get(_key(device))
        is_direct = launcher is None or launcher is _launcher_here()
        started = None if launcher is None or is_direct else launcher.pool.submit(_compute, function)
    if started is None:
        return _compute(function)
    try:
        return started.result()
    finally:
        del started  # an error references this frame, and the future the error


def is_launching() -> bool:
    """Whether this is the thread of a device, which must not wait for it."""
    return _launcher_here() is not None


def _launcher_here() -> _Launcher | None:
    return getattr(_HERE, "launcher", None)


def _compute(function: Callable[[], R]) -> R:
    import torch

    with torch.inference_mode():
        return function()


def _key(device: torch.device) -> tuple[str, int]:
    return device.type, device.index or 0
