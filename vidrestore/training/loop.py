"""The one training loop: batches, schedule, average of weights, logs, checkpoints, exact resume."""

from __future__ import annotations

import copy
import json
import logging
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn
from torch.optim import Optimizer

from vidrestore.device import resolve_device
from vidrestore.training.config import OptimConfig, TrainConfig
from vidrestore.training.dataset import Batch, batches, split_people
from vidrestore.training.stage_weights import save_stage

__all__ = ["Stage", "run"]
logger = logging.getLogger(__name__)


class Stage(Protocol):
    """What a stage brings; the loop does the rest."""

    modules: nn.ModuleDict
    """Everything with weights or buffers, for checkpoints."""
    averaged: nn.ModuleDict
    """The networks whose averaged weights are the stage's result."""
    optimizers: dict[str, Any]

    def step(self, batch: Batch, step: int) -> dict[str, float]: ...


def run(make_stage: Callable[[TrainConfig], Stage], config: TrainConfig) -> Path:
    """Train from the last checkpoint in `config.output`, or from the start; returns the file of weights."""
    torch.manual_seed(config.seed)  # before the stage is made: its first weights are random
    stage = make_stage(config)
    device = resolve_device(config.device)
    # Channels-last doubles the speed of convolutions on a CPU.
    stage.modules.to(device).to(memory_format=torch.channels_last)
    output = config.output
    output.mkdir(parents=True, exist_ok=True)
    average = copy.deepcopy(stage.averaged).requires_grad_(False)
    state_file, weights_file = output / "last.pt", output / "weights.safetensors"
    first = _resume(state_file, stage, average) if state_file.is_file() else 0
    train_files, _ = split_people(config.data)
    network = next(iter(stage.averaged.values()))
    source = batches(
        train_files,
        network.config.image_size,  # type: ignore[union-attr, arg-type]
        config.data,
        batch=config.optim.batch,
        seed=config.seed,
        first_step=first,
    )
    waited, began = 0.0, time.monotonic()
    for step in range(first, config.steps):
        asked = time.monotonic()
        batch = next(source)
        waited += time.monotonic() - asked
        for optimizer in stage.optimizers.values():
            _set_rate(optimizer, config.optim, step, config.steps)
        # The random state of a step depends on the step alone: dropout and renewals resume exactly.
        torch.manual_seed(config.seed * 1_000_003 + step)
        with torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bf16"):
            log = stage.step(Batch(clean=batch.clean.to(device), degraded=batch.degraded.to(device)), step)
        _average(average, stage.averaged, min(config.optim.ema, (1 + step) / (10 + step)))
        done = step + 1
        if done % config.log_every == 0 or done == config.steps:
            elapsed = time.monotonic() - began
            log |= {
                "faces_per_second": (done - first) * config.optim.batch / elapsed,
                "waited": waited / elapsed,
            }
            _write_log(output / "log.jsonl", done, log)
        if done % config.save_every == 0 or done == config.steps:
            _save(state_file, stage, average, done)
            save_stage(average, weights_file)
    source.close()  # type: ignore[attr-defined]
    return weights_file


def _set_rate(optimizer: Optimizer, optim: OptimConfig, step: int, steps: int) -> None:
    factor = min(1.0, (step + 1) / max(optim.warmup, 1))
    if optim.schedule == "cosine":
        factor *= 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps))
    for group in optimizer.param_groups:
        group["lr"] = optim.learning_rate * factor


@torch.no_grad()
def _average(average: nn.ModuleDict, live: nn.ModuleDict, decay: float) -> None:
    for mean, value in zip(average.state_dict().values(), live.state_dict().values(), strict=True):
        if mean.dtype.is_floating_point:
            mean.lerp_(value, 1 - decay)
        else:
            mean.copy_(value)


def _save(path: Path, stage: Stage, average: nn.ModuleDict, step: int) -> None:
    partial = path.with_suffix(".partial")
    torch.save(
        {
            "step": step,
            "modules": stage.modules.state_dict(),
            "average": average.state_dict(),
            "optimizers": {name: o.state_dict() for name, o in stage.optimizers.items()},
        },
        partial,
    )
    partial.replace(path)


def _resume(path: Path, stage: Stage, average: nn.ModuleDict) -> int:
    state = torch.load(path, map_location="cpu", weights_only=True)
    stage.modules.load_state_dict(state["modules"])
    average.load_state_dict(state["average"])
    for name, optimizer in stage.optimizers.items():
        optimizer.load_state_dict(state["optimizers"][name])
    logger.info("going on from step %d of %s", state["step"], path)
    return int(state["step"])


def _write_log(path: Path, step: int, log: dict[str, float]) -> None:
    line = {"step": step} | {name: round(value, 5) for name, value in log.items()}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    logger.info("%s", "  ".join(f"{k} {v:g}" for k, v in line.items()))
