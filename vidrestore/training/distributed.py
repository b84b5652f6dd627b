"""Training in several processes, which accelerate starts (`accelerate launch -m vidrestore train …`).

Every process has the whole network and its own part of each batch. Gradients are averaged before a step, so
the weights stay equal. With a single process, the functions here change nothing.
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
    """This process in the run."""

    index: int
    count: int
    device: torch.device

    @property
    def is_main(self) -> bool:
        """Whether this process writes logs and checkpoints."""
        return self.index == 0


def join_processes(device: str) -> Process:
    """Joins the run and returns this process's place in it.

    Args:
        device: A device for `resolve_device`. With several processes the launcher chooses; only "cpu" counts.

    Raises:
        UsageError: There are several processes, and accelerate is not installed.
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
    """One optimizer step with gradients that are averaged over all processes.

    Args:
        optimizer: The optimizer.
        parameters: Those that it trains.
        clip: Largest norm of the gradient; None: no limit.
    """
    trained = [p for p in parameters if p.grad is not None]
    if _is_distributed():
        flat = torch.cat([p.grad.flatten() for p in trained if p.grad is not None])
        dist.all_reduce(flat)
        flat /= dist.get_world_size()
        for p, mean in zip(trained, flat.split([p.numel() for p in trained]), strict=True):
            if p.grad is not None:
                # Copied in place: fused optimizers need gradients with the strides of the weights.
                p.grad.copy_(mean.view_as(p))
    if clip:
        torch.nn.utils.clip_grad_norm_(trained, clip)
    optimizer.step()


def broadcast(tensors: Iterable[Tensor]) -> None:
    """Copies the main process's values into the tensors of all processes."""
    if _is_distributed():
        for tensor in tensors:
            dist.broadcast(tensor.detach(), src=0)


def _is_distributed() -> bool:
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1
