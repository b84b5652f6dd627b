"""Networks that do not fit into a GPU's memory: on `auto` the CPU computes them, or a sentence ends it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from vidrestore.errors import ProcessingError
from vidrestore.runtime.device import resolve_device
from vidrestore.runtime.system_errors import is_device_out_of_memory

if TYPE_CHECKING:
    import torch

T = TypeVar("T")

logger = logging.getLogger(__name__)


def place_networks(name: str, place: Callable[[torch.device], T], *, what: str) -> T:
    """What `place` returns for the device of a name; for the CPU, if `auto` means a GPU that is full.

    Args:
        name: As for `resolve_device`.
        place: Loads networks and moves them to a device. It may be called a second time, for the CPU.
        what: What the networks are, for the messages.

    Raises:
        DeviceError: There is no such device.
        ProcessingError: The memory of the device that the user has chosen does not suffice.
    """
    import torch

    device = resolve_device(name)
    placed = _placed_or_none(place, device)
    if placed is not None:
        return placed
    release_unused_memory()
    lack = f"there is not enough free memory on {device} for {what}"
    if name != "auto":
        raise ProcessingError(f"{lack}: close other programs that use it, or choose another --device")
    logger.warning("%s; the CPU computes them. Close other programs that use the GPU", lack)
    return place(torch.device("cpu"))


def release_unused_memory() -> None:
    """Returns the memory that PyTorch keeps for later use to the GPU."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()


def _placed_or_none(place: Callable[[torch.device], T], device: torch.device) -> T | None:
    """What `place` returns; None: the device's memory is exhausted. The error is released, as its traceback
    references what was moved so far."""
    try:
        return place(device)
    except RuntimeError as error:
        if device.type == "cpu" or not is_device_out_of_memory(error):
            raise
        logger.info("%s: %s", device, error)
        return None
