"""Kernels and copies to another memory order of the networks on a GPU, counted without one.

`python -m benchmarks.layout_copies` prints both for a batch of four faces, with PyTorch's norms and with the
channels-last ones. Fake tensors have a device, a shape and an order in memory, and no values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any
from unittest.mock import patch

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from benchmarks.fake_device import replace_parameters
from vidrestore.daefr import COMPACT, PUBLISHED, Daefr, DaefrConfig, inference
from vidrestore.evidence import EvidenceNetwork, TwoSizeEvidence
from vidrestore.restoration import DaefrGenerator
from vidrestore.restoration.estimator import Estimator

FACES = 4
GPU = torch.device("cuda")
_NO_KERNEL = ("empty", "empty_like", "empty_strided", "new_empty", "detach", "_unsafe_view")
_COPIES = ("clone", "_to_copy", "copy_")


class LayoutCount(TorchDispatchMode):
    """Counts what a GPU would do while its `with` block lasts; use it without inference mode.

    cuDNN copies the input of a convolution that is not in channels-last order, as the weights are.
    """

    def __init__(self) -> None:
        super().__init__()
        self.kernels: Counter[str] = Counter()
        self.copies: Counter[str] = Counter()
        """Copies of pictures and of tokens to another order, by operation and shape."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if func.namespace != "aten" or func.is_view or name in _NO_KERNEL:
            return result
        self.kernels[name] += 1
        if name == "convolution":
            self._count_copy(name, args[0], args[0].contiguous(memory_format=torch.channels_last))
            # So does cuDNN; without it, fake convolutions have another order.
            return result.contiguous(memory_format=torch.channels_last)
        if name in _COPIES:
            self._count_copy(name, args[1] if name == "copy_" else args[0], result)
        return result

    def _count_copy(self, name: str, source: Tensor, result: Tensor) -> None:
        if isinstance(source, Tensor) and source.dim() in (3, 4) and _order(source) != _order(result):
            self.copies[f"{name} {tuple(source.shape)}"] += 1


def _order(tensor: Tensor) -> list[int]:
    """The axes from the largest stride to the smallest, without those of length 1."""
    axes = [axis for axis in range(tensor.dim()) if tensor.shape[axis] > 1]
    return sorted(axes, key=lambda axis: -tensor.stride(axis))


def count(run: Callable[[], Any]) -> LayoutCount:
    """What one call of `run` does on fake tensors, and what its attention does as one kernel."""
    with (
        torch.no_grad(),
        patch.object(F, "scaled_dot_product_attention", _attention),
        LayoutCount() as counted,
    ):
        run()
    return counted


def _attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """(N, heads, T, C) in the order that the kernels of a GPU give: positions before heads."""
    n, heads, positions, width = query.shape
    assert query.stride(3) == key.stride(3) == value.stride(3) == 1, "the kernels would copy their input"
    return query.new_zeros(n, positions, heads, width).transpose(1, 2)


@contextmanager
def networks_on_gpu(config: DaefrConfig) -> Iterator[tuple[DaefrGenerator, Estimator]]:
    """Generator and estimator on a GPU that is not there."""
    network, evidence = Daefr(config).eval().requires_grad_(False), EvidenceNetwork().eval()
    evidence.requires_grad_(False)
    with patch.object(nn.Module, "_apply", replace_parameters), FakeTensorMode(allow_non_fake_inputs=True):
        yield (
            DaefrGenerator(
                network,
                device=GPU,
                precision=torch.bfloat16,
                look_up="soft",
                with_detail=bool(config.detail_width),
            ),
            Estimator(TwoSizeEvidence(evidence), device=GPU, precision=torch.bfloat16),
        )


@contextmanager
def norms_of_pytorch() -> Iterator[None]:
    """Networks loaded inside keep PyTorch's group norms."""
    with patch.object(inference, "ChannelsLastGroupNorm", lambda norm: norm):
        yield


def counts_of_steps(generator: DaefrGenerator, estimator: Estimator) -> dict[str, LayoutCount]:
    """The counts of each step for `FACES` faces of the generator's size."""
    size = generator.size
    faces = torch.empty(FACES, size, size, 3, device=GPU).permute(0, 3, 1, 2)
    features = generator.encode_tensors(faces)
    codes = generator.predict(features)
    return {
        "evidence network": count(partial(_undecorated, estimator.evidence, faces)),
        "encoder": count(partial(_undecorated, generator.encode_tensors, faces)),
        "predictor": count(partial(_undecorated, generator.predict, features)),
        "decoder": count(partial(_undecorated, generator.decode_tensors, codes)),
    }


def _undecorated(method: Any, *arguments: Any) -> Any:
    """Calls a method without its inference mode, in which composite operations hide their copies."""
    return method.__wrapped__(method.__self__, *arguments)


def main() -> None:
    """Prints the table."""
    print(f"{'network':10} {'norms':14} {'step':17} kernels copies   of a batch of {FACES} faces")
    for config in (COMPACT, PUBLISHED):
        for norms in ("PyTorch's", "channels-last"):
            kept = norms_of_pytorch() if norms == "PyTorch's" else nullcontext()
            with kept, networks_on_gpu(config) as both:
                for step, counted in counts_of_steps(*both).items():
                    kernels, copies = counted.kernels.total(), counted.copies.total()
                    print(f"{config.name:10} {norms:14} {step:17} {kernels:7} {copies:6}")


if __name__ == "__main__":
    main()
