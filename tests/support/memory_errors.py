"""How PyTorch and the libraries below it say that a GPU's memory is exhausted."""

from __future__ import annotations

from collections.abc import Callable

import torch

DEVICE_ERRORS: list[Callable[[], Exception]] = [
    lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has 0 bytes free"),
    lambda: RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be reported later"),
    lambda: RuntimeError("CUDA driver error: out of memory"),
    lambda: RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    lambda: RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"),
    lambda: RuntimeError("cuDNN error: CUDNN_STATUS_NOT_INITIALIZED"),
    lambda: RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    lambda: RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
    lambda: RuntimeError("GET was unable to find an engine to execute this computation"),
    lambda: RuntimeError("HIP out of memory. Tried to allocate 2.00 GiB"),
    lambda: RuntimeError("MPS backend out of memory (MPS allocated: 6.0 GB, max allowed: 6.8 GB)"),
    lambda: RuntimeError("Invalid buffer size: 19.38 GiB"),
]
HOST_ERRORS: list[Callable[[], Exception]] = [
    lambda: RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory"),
    lambda: RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED"),
    lambda: MemoryError("Unable to allocate 3.0 GiB for an array"),
]
