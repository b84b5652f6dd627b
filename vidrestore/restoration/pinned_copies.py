"""Copies pictures of faces to a device and back.

A GPU copies from and to pinned memory directly, several times as fast as from other memory, where the CPU
makes an additional copy and waits. Copies are on two streams of their own, so that they run beside the
computation; events join them with it. They are launched in the device's thread; arrays are packed, and
waited for, in the caller's.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidrestore.runtime.launching_thread import is_launching, launch
from vidrestore.runtime.system_errors import is_out_of_memory

logger = logging.getLogger(__name__)


def to_device(arrays: Sequence[NDArray[Any]], device: torch.device) -> Tensor:
    """(N, ...) on the device, from N arrays of the same shape and type. It does not wait for a GPU."""
    packed = pack(arrays, device)
    return launch(device, lambda: upload(packed, device))


def from_device(tensors: Tensor) -> list[NDArray[Any]]:
    """N arrays from (N, ...) in any memory order; it waits for them, but not for later work of the GPU."""
    return launch(tensors.device, lambda: download(tensors)).arrays()


def pack(arrays: Sequence[NDArray[Any]], device: torch.device) -> Tensor:
    """(N, ...) in memory from which the device copies without waiting."""
    if device.type != "cuda":
        return torch.from_numpy(np.stack(arrays))
    number_type = torch.from_numpy(np.empty(0, arrays[0].dtype)).dtype
    pinned = _pinned_memory((len(arrays), *arrays[0].shape), number_type)
    np.stack(arrays, out=pinned.numpy())
    return pinned


def upload(packed: Tensor, device: torch.device) -> Tensor:
    """Launches the copy of packed arrays to the device; computation launched later waits for it."""
    if device.type != "cuda":
        return packed.to(device)
    computing, (copying, _) = torch.cuda.current_stream(device), _copy_streams(device)
    with torch.cuda.stream(copying):
        there = packed.to(device, non_blocking=True)
    computing.wait_stream(copying)
    there.record_stream(computing)  # its memory is not reused before the computation is done with it
    return there


@dataclass(frozen=True, slots=True)
class Download:
    """A copy from a device that has been launched."""

    host: Tensor
    """The copy; not valid before `copied`."""
    copied: torch.cuda.Event | None
    """None: the copy is complete."""

    def arrays(self) -> list[NDArray[Any]]:
        """The N arrays; it waits for them."""
        if self.copied is not None:
            assert not is_launching(), "nothing else could be launched while this thread waits"
            self.copied.synchronize()
        return list(self.host.numpy())


def download(tensors: Tensor) -> Download:
    """Launches the copy of (N, ...), in any memory order, from its device."""
    if tensors.device.type != "cuda":
        return Download(tensors.contiguous().cpu(), None)
    pinned, there = _pinned_memory(tuple(tensors.shape), tensors.dtype), tensors.contiguous()
    computing, (_, copying) = torch.cuda.current_stream(tensors.device), _copy_streams(tensors.device)
    copying.wait_stream(computing)
    with torch.cuda.stream(copying):
        pinned.copy_(there, non_blocking=True)
    there.record_stream(copying)
    copied = torch.cuda.Event(blocking=True)  # a blocking wait leaves the CPU to other threads
    copied.record(copying)
    return Download(pinned, copied)


def _pinned_memory(shape: tuple[int, ...], number_type: torch.dtype) -> Tensor:
    """Pinned memory, or other memory if the system gives no more of it; then copies wait for each other."""
    try:
        return torch.empty(shape, dtype=number_type, pin_memory=True)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        _warn_of_slow_copies()
    return torch.empty(shape, dtype=number_type)


@cache
def _warn_of_slow_copies() -> None:
    """Once."""
    logger.warning("the system gives no more pinned memory, so copies to and from the GPU are slower")


@cache
def _copy_streams(device: torch.device) -> tuple[torch.cuda.Stream, torch.cuda.Stream]:
    """The streams for copies to a GPU and from it."""
    return torch.cuda.Stream(device), torch.cuda.Stream(device)
