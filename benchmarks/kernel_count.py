"""Counts what a GPU would have to do: kernels, operations, bytes, copies for another memory order, memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

_WITHOUT_KERNEL = {
    "empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "detach", "detach_", "alias",
}  # fmt: skip
"""Operations that compute nothing, besides views."""
_WHOLE = {
    "scaled_dot_product_attention", "upsample_nearest2d", "upsample_bilinear2d", "upsample_bicubic2d",
}  # fmt: skip
"""Composed operations for which a GPU has one kernel."""
_COPIES = {"clone", "_to_copy", "copy_"}


@dataclass(frozen=True, slots=True)
class Kernel:
    """An operation on a device."""

    name: str
    flop: int
    """Multiplications and additions of products and convolutions; 0 for others."""
    bytes: int
    """Bytes of its inputs and outputs, each read or written once."""


class KernelCount(TorchDispatchMode):
    """Counts operations while its `with` block lasts, on tensors of any device, real, fake or meta.

    Each operation of PyTorch counts as one kernel, although a few need several. Views count nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.kernels: list[Kernel] = []
        self.layout_copies = 0
        """Copies of a whole picture in another memory order, also those that a convolution makes first."""
        self.peak_bytes = 0
        """Largest sum of all tensors that were made in the block and not yet freed."""
        self._live: dict[StorageWeakRef, int] = {}

    @property
    def total(self) -> int:
        return len(self.kernels)

    @property
    def by_operation(self) -> Counter[str]:
        return Counter(kernel.name for kernel in self.kernels)

    @property
    def flop(self) -> int:
        return sum(kernel.flop for kernel in self.kernels)

    @property
    def bytes(self) -> int:
        return sum(kernel.bytes for kernel in self.kernels)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__
        if func.namespace == "aten" and func.overloadpacket not in flop_registry and name not in _WHOLE:
            with self:  # inference mode leaves composed operations, such as `linear`, in one
                parts = func.decompose(*args, **kwargs)
            if parts is not NotImplemented:
                return parts
        result = func(*args, **kwargs)
        if func.namespace != "aten" or _is_view(func):
            return result
        if name == "convolution":
            result = self._as_cudnn(result, args)
        if name not in _WITHOUT_KERNEL:
            flop = _flop(func, args, kwargs, result)
            self.kernels.append(Kernel(name, flop, _bytes((args, kwargs, result))))
            self.layout_copies += _changes_layout(name, args, result)
        self._track(result)
        return result

    def _as_cudnn(self, result: Tensor, args: tuple[Any, ...]) -> Tensor:
        """The result of a convolution in the order that cuDNN gives it; fake tensors may have another."""
        x, weight = args[0], args[1]
        if x.dim() != 4 or not weight.is_contiguous(memory_format=torch.channels_last):
            return result
        if not x.is_contiguous(memory_format=torch.channels_last):
            self.layout_copies += 1
            self.kernels.append(Kernel("reorder", 0, 2 * _bytes(x)))
        return result.contiguous(memory_format=torch.channels_last)

    def _track(self, result: Any) -> None:
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                storage = tensor.untyped_storage()
                self._live.setdefault(StorageWeakRef(storage), storage.nbytes())
        for freed in [reference for reference in self._live if reference.expired()]:
            del self._live[freed]
        self.peak_bytes = max(self.peak_bytes, sum(self._live.values()))


def count_kernels(run: Callable[[], object]) -> KernelCount:
    """The counts of one call of `run`, without gradients."""
    with torch.inference_mode(), KernelCount() as counted:
        run()
    return counted


def _flop(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> int:
    if func.overloadpacket.__name__ == "scaled_dot_product_attention":
        query, key = args[0], args[1]  # (N, heads, T, C) and (N, heads, S, C)
        return int(4 * query.numel() * key.shape[2])
    count = flop_registry.get(func.overloadpacket)
    return int(count(*args, **kwargs, out_val=result)) if count is not None else 0


def _is_view(func: Any) -> bool:
    aliases = [r.alias_info for r in func._schema.returns]
    return any(alias is not None and not alias.is_write for alias in aliases)


def _bytes(values: Any) -> int:
    tensors = [value for value in tree_leaves(values) if isinstance(value, Tensor)]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def _changes_layout(name: str, args: tuple[Any, ...], result: Any) -> bool:
    if name not in _COPIES or not isinstance(result, Tensor) or result.dim() != 4:
        return False
    source = args[1] if name == "copy_" else args[0]
    is_whole = isinstance(source, Tensor) and source.dtype == result.dtype and source.shape == result.shape
    return is_whole and _order(source) != _order(result)


def _order(tensor: Tensor) -> list[int]:
    """The axes from the one with the largest stride to the one with the smallest; axes of length 1 last."""
    strides = [s if n > 1 else 0 for s, n in zip(tensor.stride(), tensor.shape, strict=True)]
    return sorted(range(tensor.dim()), key=lambda axis: -strides[axis])
