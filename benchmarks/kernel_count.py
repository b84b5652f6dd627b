"""Counts the kernels that a GPU would have to launch, and the copies that only change the memory order."""

from __future__ import annotations

from collections import Counter
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

_WITHOUT_KERNEL = {
    "empty",
    "empty_like",
    "empty_strided",
    "new_empty",
    "new_empty_strided",
    "detach",
    "detach_",
    "alias",
}
"""Operations that compute nothing, besides views."""


class KernelCount(TorchDispatchMode):
    """Counts operations while its `with` block lasts, on tensors of any device, real, fake or meta.

    Each operation of PyTorch counts as one kernel, although a few need several or none. Views count nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.by_operation: Counter[str] = Counter()
        self.layout_copies = 0
        """Copies of a whole tensor in another memory order."""

    @property
    def total(self) -> int:
        return sum(self.by_operation.values())

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if func.namespace == "aten" and not _is_view(func) and name not in _WITHOUT_KERNEL:
            self.by_operation[name] += 1
            self.layout_copies += _changes_layout(name, args, result)
        return result


def _is_view(func: Any) -> bool:
    aliases = [r.alias_info for r in func._schema.returns]
    return any(alias is not None and not alias.is_write for alias in aliases)


def _changes_layout(name: str, args: tuple[Any, ...], result: Any) -> bool:
    if name not in ("clone", "_to_copy", "copy_") or not isinstance(result, Tensor) or result.dim() != 4:
        return False
    source = args[1] if name == "copy_" else args[0]
    same_type = isinstance(source, Tensor) and source.dtype == result.dtype and source.device == result.device
    return same_type and source.shape == result.shape and _order(source) != _order(result)


def _order(tensor: Tensor) -> list[int]:
    """The axes from the one with the largest stride to the one with the smallest; axes of length 1 last."""
    strides = [s if n > 1 else 0 for s, n in zip(tensor.stride(), tensor.shape, strict=True)]
    return sorted(range(tensor.dim()), key=lambda axis: -strides[axis])


def count_kernels(run: Any) -> KernelCount:
    """The counts of one call of `run`, without gradients."""
    with torch.inference_mode(), KernelCount() as counted:
        run()
    return counted
