"""Chooses the device and the precision of the networks. torch is imported only when a function is called."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from vidrestore.errors import DeviceError
from vidrestore.runtime.device_trial import agrees_with_cpu
from vidrestore.runtime.system_errors import is_out_of_memory

if TYPE_CHECKING:
    import torch

    from vidrestore.settings.keywords import Precision


logger = logging.getLogger(__name__)

CUDA_WHEELS = "https://download.pytorch.org/whl/cu128"


def resolve_device(name: str) -> torch.device:
    """The device of a name, checked to exist.

    Args:
        name: cpu, mps, cuda, cuda:N, or auto: a CUDA GPU that works, else Apple's GPU, else the CPU.

    Returns:
        The device.

    Raises:
        DeviceError: There is no such device, or PyTorch cannot use it.
    """
    import torch

    if name == "auto":
        return torch.device(_best())
    kind, _, number = name.partition(":")
    if kind == "cuda":
        _check_cuda(name, int(number or 0))
    elif kind == "mps":
        if not torch.backends.mps.is_available():
            raise DeviceError("--device mps needs a Mac with an Apple GPU; try --device auto")
    elif name != "cpu":
        raise DeviceError(f"there is no device '{name}'; there are auto, cpu, mps, cuda and cuda:N")
    return torch.device(name)


def resolve_precision(device: torch.device) -> torch.dtype:
    """The fastest number type that is accurate enough on the device.

    Never float16 on a CPU: there it is several times slower than float32.
    """
    import torch

    if device.type == "cuda":
        ampere_or_later = torch.cuda.get_device_capability(device) >= (8, 0)  # older ones emulate bfloat16
        precision = torch.bfloat16 if ampere_or_later else torch.float16
        return precision if _convolves(device, precision) else torch.float32
    if device.type == "mps":  # float16 would overflow where weights are large
        return torch.bfloat16 if agrees_with_cpu(device, torch.bfloat16) else torch.float32
    return torch.bfloat16 if device.type == "cpu" and _has_cpu_bfloat16() else torch.float32


def half_precision(device: torch.device) -> torch.dtype:
    """float16 on a CUDA device that computes it right, otherwise float32.

    For networks that compute coordinates, which need more digits than bfloat16 has.
    """
    import torch

    is_right = device.type == "cuda" and _convolves(device, torch.float16)
    return torch.float16 if is_right else torch.float32


def choose_precision(device: torch.device, wanted: Precision) -> torch.dtype:
    """The number type of the networks on the device.

    Args:
        device: Where they are computed.
        wanted: auto (the fastest that is accurate enough), float32 or bfloat16.

    Raises:
        DeviceError: The device does not compute in bfloat16.
    """
    import torch

    if wanted == "float32":
        return torch.float32
    if wanted == "auto":
        return resolve_precision(device)
    if device.type == "mps":
        works = agrees_with_cpu(device, torch.bfloat16)
    else:
        works = _has_cpu_bfloat16() if device.type == "cpu" else _convolves(device, torch.bfloat16)
    if not works:
        raise DeviceError(f"{device} does not compute in bfloat16; try --precision auto or float32")
    return torch.bfloat16


@contextmanager
def exact_float32(device: torch.device) -> Iterator[None]:
    """In this block, a GPU does not round the factors of float32 convolutions, as it does by default."""
    import torch

    backend = torch.backends.cudnn
    before = backend.allow_tf32 if device.type == "cuda" else False
    if not before:
        yield
        return
    backend.allow_tf32 = False
    try:
        yield
    finally:
        backend.allow_tf32 = before


def free_gpu_memory(device: torch.device) -> int | None:
    """Bytes of memory that this process can still use on a CUDA device; None for other devices."""
    import torch

    if device.type != "cuda":
        return None
    free, _ = torch.cuda.mem_get_info(device)
    # PyTorch keeps freed memory reserved and reuses it.
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


def _has_cpu_bfloat16() -> bool:
    """Whether oneDNN computes in bfloat16 here. Builds without oneDNN (Apple silicon) lack the operator."""
    import torch

    return torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()


def _best() -> str:
    import torch

    if torch.cuda.is_available():
        reason = _reason_against(torch.device("cuda"), _convolves, "has no working kernels for it")
        if reason is None:
            return "cuda"
        logger.warning("the NVIDIA GPU cannot be used: %s", reason)
    if torch.backends.mps.is_available():
        reason = _reason_against(torch.device("mps"), agrees_with_cpu, "computes wrong numbers with it")
        if reason is None:
            return "mps"
        logger.warning("Apple's GPU is not used: %s", reason)
    return "cpu"


def _reason_against(
    device: torch.device, works: Callable[[torch.device, torch.dtype], bool], failing: str
) -> str | None:
    """Why the networks are not computed on the device; None: they are."""
    import torch

    try:
        return None if works(device, torch.float32) else f"this PyTorch ({torch.__version__}) {failing}"
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        return "other programs use all of its memory"


@cache
def _convolves(device: torch.device, precision: torch.dtype) -> bool:
    """Whether a convolution on the device has finite results.

    PyTorch may have no kernels for the GPU; on GTX 16xx results in float16 may be NaN. An error that means a
    lack of memory is raised again, since it says nothing about the next time.
    """
    import torch

    try:
        x = torch.ones(1, 64, 32, 32, device=device, dtype=precision)
        x = x.contiguous(memory_format=torch.channels_last)
        weight = torch.full((64, 64, 3, 3), 1 / 64, device=device, dtype=precision)
        return bool(torch.nn.functional.conv2d(x, weight, padding=1).isfinite().all())
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise
        logger.info("no convolution on %s: %s", device, error)
        return False


def _check_cuda(name: str, number: int) -> None:
    import torch

    if torch.version.cuda is None and torch.version.hip is None:
        raise DeviceError(
            f"--device {name}: this PyTorch is built without CUDA, as PyPI's is for Windows and macOS; "
            f"install another: pip install torch --index-url {CUDA_WHEELS}, or try --device auto"
        )
    if not torch.cuda.is_available():
        raise DeviceError(
            f"--device {name} needs an NVIDIA GPU with a working driver, and there is none; "
            "try --device auto or --device cpu"
        )
    count = torch.cuda.device_count()
    if number >= count:
        raise DeviceError(f"--device {name}: this machine has {count} CUDA device(s), numbered from 0")
