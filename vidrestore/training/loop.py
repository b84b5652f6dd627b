"""The training loop of DAEFR's stages: batches, schedule, validation, checkpoints, resuming."""

from __future__ import annotations

import copy
import json
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from vidrestore.runtime.replaced_file import replaced_file
from vidrestore.training.config import OptimConfig, TrainConfig
from vidrestore.training.data.dataset import Batch, batches, split_people, validation_batch
from vidrestore.training.distributed import broadcast, join_processes
from vidrestore.training.ema import update_ema
from vidrestore.training.run_log import RunLog
from vidrestore.training.saved_state import does_not_fit, load_state, save_state
from vidrestore.training.stage_weights import save_stage

__all__ = ["Stage", "Validation", "run"]
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """The result of a validation on held-out people."""

    score: float
    """The score that decides which weights are the best; lower is better."""
    pictures: list[Tensor]
    """The rows of a picture grid, each (N, 3, S, S) in [-1, 1]."""


class Stage(Protocol):
    """The interface of a stage, for the loop."""

    modules: nn.ModuleDict
    """All modules with weights or buffers, for checkpoints."""
    averaged: nn.ModuleDict
    """The networks whose averaged weights are the result of the stage."""
    optimizers: dict[str, Any]
    discriminator: nn.Module | None
    """The discriminator, which is stored with the result for the next stage; None: not needed there."""

    def step(self, batch: Batch, step: int) -> dict[str, float]: ...

    def validate(self, networks: nn.ModuleDict, batch: Batch) -> Validation:
        """Scores networks like `averaged`, but with the averaged weights."""
        ...


def run(make_stage: Callable[[TrainConfig], Stage], config: TrainConfig) -> Path:
    """Trains from the last checkpoint in `config.output`, or from the start; returns the file of weights.

    The folder also gets best.safetensors: the averaged weights with the best validation score.

    Args:
        make_stage: Creates the stage from the configuration.
        config: The configuration.
    """
    process = join_processes(config.device)
    config = scaled_by_processes(config, process.count)
    torch.manual_seed(config.seed)  # before the stage is created with its random weights
    stage = make_stage(config)
    device, output = process.device, config.output
    # Channels-last doubles the speed of convolutions on a CPU.
    stage.modules.to(device).to(memory_format=torch.channels_last)
    broadcast(stage.modules.state_dict().values())
    output.mkdir(parents=True, exist_ok=True)
    average = copy.deepcopy(stage.averaged).requires_grad_(False)
    state_file, weights_file = output / "last.pt", output / "weights.safetensors"
    first = _resume(state_file, stage, average) if state_file.is_file() else 0
    train_files, held = split_people(config.data)
    network = next(iter(stage.averaged.values()))
    size = int(network.config.image_size)  # type: ignore[union-attr, arg-type]
    validation_faces = (
        validation_batch(held, size, config.data, config.validation_faces).to(device) if held else None
    )
    run_log = RunLog(output) if process.is_main else None
    source = batches(
        train_files,
        size,
        config.data,
        batch=config.optim.batch,
        seed=config.seed,
        first_step=first,
        share=(process.index, process.count),
    )
    data_wait, began = 0.0, time.monotonic()
    for step in range(first, config.steps):
        wait_start = time.monotonic()
        batch = next(source)
        data_wait += time.monotonic() - wait_start
        for optimizer in stage.optimizers.values():
            _set_rate(optimizer, config.optim, step, config.steps)
        # The random state depends on the step only, so that dropout and code resets resume exactly.
        torch.manual_seed(config.seed * 1_000_003 + step)
        with torch.autocast(device.type, torch.bfloat16, enabled=config.uses_bf16):
            log = stage.step(batch.to(device), step)
        update_ema(average, stage.averaged, min(config.optim.ema, (1 + step) / (10 + step)))
        done = step + 1
        if run_log is None:
            continue
        last = done == config.steps
        if done % config.log_every == 0 or last:
            elapsed = time.monotonic() - began
            faces = (done - first) * config.optim.batch * process.count
            run_log.scalars(
                done, log | {"faces_per_second": faces / elapsed, "data_wait_share": data_wait / elapsed}
            )
        if done % config.save_every == 0 or last:
            _save(state_file, stage, average, done)
            save_stage(average, weights_file, stage.discriminator)
        if validation_faces is not None and (done % config.validate_every == 0 or last):
            _validate(stage, average, validation_faces, done, run_log, output)
    source.close()  # type: ignore[attr-defined]
    if run_log is not None:
        run_log.close()
    return weights_file


def scaled_by_processes(config: TrainConfig, count: int) -> TrainConfig:
    """The configuration for `count` processes, each with its own batch: see `OptimConfig.by_processes`."""
    if not config.optim.by_processes or count == 1:
        return config
    optim = config.optim.model_copy(
        update={
            "learning_rate": config.optim.learning_rate * count,
            "decay_every": max(config.optim.decay_every // count, 1),
            "warmup": config.optim.warmup // count,
        }
    )
    return config.model_copy(update={"optim": optim, "steps": max(config.steps // count, 1)})


@torch.no_grad()
def _validate(
    stage: Stage, average: nn.ModuleDict, batch: Batch, step: int, run_log: RunLog, output: Path
) -> None:
    """Scores the averaged weights, writes pictures, and saves the weights if they are the best so far."""
    average.eval()
    result = stage.validate(average, batch)
    run_log.scalars(step, {"validation": result.score})
    run_log.pictures(step, result.pictures)
    best_file = output / "best.json"
    best = json.loads(best_file.read_text())["validation"] if best_file.is_file() else math.inf
    if result.score < best:
        save_stage(average, output / "best.safetensors", stage.discriminator)
        with replaced_file(best_file) as partial:
            partial.write_text(json.dumps({"step": step, "validation": result.score}))


def _set_rate(optimizer: Optimizer, optim: OptimConfig, step: int, steps: int) -> None:
    factor = min(1.0, (step + 1) / max(optim.warmup, 1))
    if optim.schedule == "cosine":
        factor *= 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps))
    elif optim.schedule == "step":
        factor *= optim.decay ** (step // optim.decay_every)
    for group in optimizer.param_groups:
        group["lr"] = optim.learning_rate * factor


def _save(path: Path, stage: Stage, average: nn.ModuleDict, step: int) -> None:
    state = {
        "step": step,
        "modules": stage.modules.state_dict(),
        "average": average.state_dict(),
        "optimizers": {name: o.state_dict() for name, o in stage.optimizers.items()},
    }
    save_state(path, state)


def _resume(path: Path, stage: Stage, average: nn.ModuleDict) -> int:
    state = load_state(path, ("step", "modules", "average", "optimizers"))
    try:
        stage.modules.load_state_dict(state["modules"])
        average.load_state_dict(state["average"])
        for name, optimizer in stage.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
    except (RuntimeError, ValueError, KeyError) as error:
        raise does_not_fit(path, error) from error
    logger.info("continuing from step %d of %s", state["step"], path)
    return int(state["step"])
