"""Functions of batches that PyTorch compiles for a GPU: one kernel for several layers.

Compiling takes a minute for each size of batch and of picture, so there are only a few sizes of batches.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib.util import find_spec

import torch
from torch import Tensor

from vidrestore.errors import DeviceError

Tensors = tuple[Tensor, ...]
FIXED_BATCHES = (4, 8, 16)
"""Sizes of compiled batches; shorter ones are padded."""
BACKEND = "inductor"
_MOST_VERSIONS = 64
"""Compiled versions of a function: one for each size of batch and of picture."""

logger = logging.getLogger(__name__)


def compile_backend(device: torch.device, wanted: bool) -> str | None:
    """The backend that compiles networks on this device; None: they are not compiled.

    Args:
        device: Where they are computed.
        wanted: Whether the user wants it.

    Raises:
        DeviceError: It is wanted, but impossible on the device.
    """
    if not wanted:
        return None
    if device.type != "cuda" or find_spec("triton") is None:
        raise DeviceError(
            f"--compile needs an NVIDIA GPU and the package triton, and the device is {device}; "
            "leave out --compile"
        )
    return BACKEND


def compiled(function: Callable[..., Tensors], backend: str | None) -> Callable[..., Tensors]:
    """The function, compiled; itself if `backend` is None.

    Args:
        function: From tensors to tensors, all of which have the batch as their first axis.
        backend: Of `torch.compile`.
    """
    return function if backend is None else _CompiledFunction(function, backend)


def fixed_batch(count: int) -> int:
    """The size of the compiled batch for so many faces."""
    largest = FIXED_BATCHES[-1]
    return next((size for size in FIXED_BATCHES if size >= count), -(-count // largest) * largest)


class _CompiledFunction:
    def __init__(self, function: Callable[..., Tensors], backend: str) -> None:
        # Importing it changes the environment and takes a second, so it is left to those who compile.
        from torch._dynamo import config, exc

        config.recompile_limit = max(config.recompile_limit, _MOST_VERSIONS)
        self._error = exc.TorchDynamoException
        self._plain = function
        self._compiled: Callable[..., Tensors] | None = torch.compile(
            function, backend=backend, fullgraph=True, dynamic=False
        )

    def __call__(self, *tensors: Tensor) -> Tensors:
        if self._compiled is None:
            return self._plain(*tensors)
        count = len(tensors[0])
        try:
            results = self._compiled(*(_padded(tensor, fixed_batch(count)) for tensor in tensors))
        except self._error as error:
            # For example without a C compiler, which Triton needs.
            logger.warning("the networks are not compiled: %s", str(error).strip().partition("\n")[0])
            self._compiled = None
            return self._plain(*tensors)
        return tuple(result[:count] for result in results)


def _padded(tensor: Tensor, size: int) -> Tensor:
    """The batch, extended to `size` by its last entry."""
    more = size - len(tensor)
    return torch.cat([tensor, tensor[-1:].expand(more, *tensor.shape[1:])]) if more else tensor
