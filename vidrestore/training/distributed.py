"""Several processes, one run. accelerate joins them (`accelerate launch -m vidrestore train …`).

Every process holds the whole network and its own share of each batch; gradients are averaged before a step,
so the weights stay equal. Alone, all of this does nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.optim import Optimizer

from vidrestore.errors import UsageError
from vidrestore.runtime.device import resolve_device


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """This one among all."""

    index: int
    count: int
    device: torch.device

    @property
    def is_main(self) -> bool:
        """The one that logs and writes."""
        return self.index == 0


def join_processes(device: str) -> Process:
    """Take this process's place in the run; `device` as in `resolve_device`, or the launcher's share of it.

    Raises UsageError where several processes were launched and accelerate is not installed.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return Process(index=0, count=1, device=resolve_device(device))
    try:
        from accelerate import PartialState
    except ImportError as error:
        raise UsageError(
            "training in several processes needs accelerate: pip install 'vidrestore[train]'"
        ) from error
    state = PartialState(cpu=device == "cpu")
    return Process(index=state.process_index, count=state.num_processes, device=state.device)


def optimizer_step(
    optimizer: Optimizer, parameters: Iterable[nn.Parameter], clip: float | None = None
) -> None:
    """One step along the gradients, averaged over all processes and clipped to the norm `clip`."""
    trained = [p for p in parameters if p.grad is not None]
    if _is_distributed():
        flat = torch.cat([p.grad.flatten() for p in trained if p.grad is not None])
        dist.all_reduce(flat)
        flat /= dist.get_world_size()
        for p, mean in zip(trained, flat.split([p.numel() for p in trained]), strict=True):
            if p.grad is not None:
                # In its place: fused optimizers want a gradient's strides to be those of its weights.
                p.grad.copy_(mean.view_as(p))
    if clip:
        torch.nn.utils.clip_grad_norm_(trained, clip)
    optimizer.step()


def broadcast(tensors: Iterable[Tensor]) -> None:
    """Give every process the main one's values, in place."""
    if _is_distributed():
        for tensor in tensors:
            dist.broadcast(tensor.detach(), src=0)


def _is_distributed() -> bool:
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1
