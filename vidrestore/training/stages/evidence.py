"""Training of the evidence network: the mean first, then mean and scale by their likelihood.

The loss is the negative log-likelihood of a Laplace distribution in each band of a Laplacian pyramid of the
error. It divides an error by the scale that was predicted for it, so clean pictures count as much as ruined
ones.
"""

from __future__ import annotations

import copy
import json
import logging
import math
import time
from pathlib import Path
from typing import Any

import cv2
import torch
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor
from torch.optim import Adam
from torch.utils.data import DataLoader

from vidrestore.errors import UsageError
from vidrestore.evidence.checkpoint import load_evidence, save_evidence
from vidrestore.evidence.network import Evidence, EvidenceConfig, EvidenceNetwork, scales_of_bands
from vidrestore.evidence.pyramid import split_bands
from vidrestore.training.data.evidence_crops import (
    EvidenceCrops,
    find_faces,
    load_pictures,
    validation_pairs,
)

logger = logging.getLogger(__name__)

CERTAIN_ERROR = 3 / 255
"""Added to the scale that an error is divided by: clean pictures would outweigh all others."""
FIRST_SCALE = 0.03
"""What errors are divided by before the scales are learned."""


class EvidenceTrainConfig(BaseModel):
    """One run of training of the evidence network."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    faces: list[Path] = Field(min_length=1)
    """Folders of aligned faces; the manifest of the first, manifest.csv, is for all of them."""
    output: Path
    """Folder of checkpoints and logs."""
    start: Path | None = None
    """Weights of an evidence network to start from, such as the embedded ones; None: fresh ones."""
    steps: int
    crop: int = Field(default=128, multiple_of=16)
    """Pixels a side."""
    batch: int = 16
    learning_rate: float = 8e-4
    final_learning_rate: float = 2e-5
    decay_from: float = Field(default=0.7, ge=0, le=1)
    """Share of the steps after which the learning rate falls to the final one, along a cosine."""
    warmup: int = 500
    likelihood_from: int = 2000
    """Step from which errors of the mean are divided by their predicted scale."""
    average: float = Field(default=0.999, ge=0, lt=1)
    """Decay of the moving average of the weights."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    photos_only_from: int | None = None
    """Step from which synthetic faces are left out."""
    seed: int = 0
    workers: int = 2
    """Processes that prepare crops."""
    threads: int = 2
    precision: str = Field(default="bf16", pattern="^(bf16|float32)$")
    save_every: int = 500
    validate_every: int = 1000
    log_every: int = 50
    network: dict[str, Any] = {}
    """Fields of `EvidenceConfig` that differ from its defaults."""


def read_evidence_config(path: Path, overrides: list[str]) -> EvidenceTrainConfig:
    """The configuration in a YAML file, with `name=value` overrides.

    Raises:
        UsageError: the file cannot be read, or a value is not valid.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        for override in overrides:
            name, separator, text = override.partition("=")
            if not separator:
                raise UsageError(f"'{override}' is not of the form key=value")
            values[name] = yaml.safe_load(text)
        return EvidenceTrainConfig(**values)
    except (OSError, yaml.YAMLError, TypeError) as error:
        raise UsageError(f"cannot read the configuration {path}: {error}".replace("\n", " ")) from error
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{path}: {name}: {first['msg']}, got {first['input']!r}") from error


def evidence_loss(evidence: Evidence, truth: Tensor, *, with_likelihood: bool) -> tuple[Tensor, Tensor]:
    """The losses of the mean and of the scale.

    Args:
        evidence: what the network says of pictures (N, 3, H, W).
        truth: the clean pictures, (N, 3, H, W) in 0..1.
        with_likelihood: divide errors of the mean by their predicted scale; else by `FIRST_SCALE`.
    """
    errors = [band.abs() for band in split_bands(evidence.mean - truth)]
    scales = scales_of_bands(evidence.scale)
    mean = truth.new_zeros(())
    scale = truth.new_zeros(())
    for error, predicted in zip(errors, scales, strict=True):
        divisor = predicted.detach() + CERTAIN_ERROR if with_likelihood else FIRST_SCALE
        mean = mean + (error / divisor).mean()
        scale = scale + (error.detach() / predicted + (2 * predicted).log()).mean()
    return mean / len(errors), scale / len(errors)


def train_evidence(config: EvidenceTrainConfig) -> Path:
    """Train from the last checkpoint in `config.output`, or from the start; returns the file of weights."""
    torch.manual_seed(config.seed)
    torch.set_num_threads(config.threads)
    cv2.setNumThreads(1)  # a forked process would wait for ever for OpenCV's threads, which it does not have
    config.output.mkdir(parents=True, exist_ok=True)
    network = EvidenceNetwork(EvidenceConfig.from_dict(config.network)).to(memory_format=torch.channels_last)
    if config.start is not None:
        network.load_state_dict(load_evidence(config.start).state_dict())
    average = copy.deepcopy(network).requires_grad_(False).eval()
    optimizer = Adam(network.parameters(), config.learning_rate, betas=(0.9, 0.99), fused=True)
    state_file, weights_file = config.output / "last.pt", config.output / "evidence.safetensors"
    first = _resume(state_file, network, average, optimizer) if state_file.is_file() else 0
    faces = find_faces(config.faces)
    held_out = validation_pairs([f for f in faces if f.is_held_out and f.is_photo], config.crop, 96)
    batches = _batches(config, first)
    start = time.monotonic()
    for step in range(first, config.steps):
        clean, degraded = next(batches)
        _set_learning_rate(optimizer, config, step)
        with torch.autocast("cpu", torch.bfloat16, enabled=config.precision == "bf16"):
            evidence = network(degraded)
        mean, scale = evidence_loss(evidence, clean, with_likelihood=step >= config.likelihood_from)
        optimizer.zero_grad(set_to_none=True)
        (mean + scale).backward()
        norm = torch.nn.utils.clip_grad_norm_(network.parameters(), config.clip)
        optimizer.step()
        _update_average(average, network, min(config.average, (1 + step) / (10 + step)))
        done = step + 1
        if done % config.log_every == 0 or done == config.steps:
            crops = (done - first) * config.batch
            _log(config.output, done, {
                "mean": mean.item(), "scale": scale.item(), "norm": float(norm),
                "rate": optimizer.param_groups[0]["lr"],
                "crops_per_second": crops / (time.monotonic() - start),
            })  # fmt: skip
        if done % config.save_every == 0 or done == config.steps:
            _save(state_file, network, average, optimizer, done)
            save_evidence(average, weights_file)
        if done % config.validate_every == 0 or done == config.steps:
            _log(config.output, done, validate_evidence(average, *held_out))
    return weights_file


@torch.no_grad()
def validate_evidence(network: EvidenceNetwork, clean: Tensor, degraded: Tensor) -> dict[str, float]:
    """PSNR and likelihood on pairs (N, 3, S, S), and how well the scale predicts the error.

    `decile_low` and `decile_high` are the real over the predicted mean error in the finest band, where the
    predicted one is in its lowest and its highest decile.
    """
    results = [network(part) for part in degraded.split(16)]
    mean = torch.cat([r.mean for r in results])
    evidence = Evidence(mean, torch.cat([r.scale for r in results]))
    _, likelihood = evidence_loss(evidence, clean, with_likelihood=True)
    before, after = (_psnr(picture, clean) for picture in (degraded, mean.clamp(0, 1)))
    changed = before < 60
    values = {
        "validation": likelihood.item(),
        "psnr_input": before[changed].mean().item(),
        "psnr": after[changed].mean().item(),
    }
    if (~changed).any():
        values["psnr_clean"] = after[~changed].clamp(max=70).mean().item()
    for k, ratios in enumerate(calibration(evidence, clean)):
        values[f"calibration_{k}_low"], values[f"calibration_{k}_high"] = ratios[0], ratios[-1]
    return values


def calibration(evidence: Evidence, clean: Tensor, parts: int = 10) -> list[list[float]]:
    """For each band, the real over the predicted mean absolute error in each decile of the predicted one."""
    table = []
    errors = split_bands(evidence.mean - clean)
    for error, predicted in zip(errors, scales_of_bands(evidence.scale), strict=True):
        real = error.abs().mean(1).flatten()
        expected = predicted[:, 0].flatten()
        order = expected.argsort()
        table.append([(real[part].mean() / expected[part].mean()).item() for part in order.chunk(parts)])
    return table


def _psnr(picture: Tensor, truth: Tensor) -> Tensor:
    """(N,) dB."""
    return -10 * (picture - truth).square().mean((1, 2, 3)).clamp(min=1e-10).log10()


def _batches(config: EvidenceTrainConfig, first: int) -> Any:
    faces = [face for face in find_faces(config.faces) if not face.is_held_out]
    turns = [(first, config.steps, False)]
    if config.photos_only_from is not None:
        change = min(max(first, config.photos_only_from), config.steps)
        turns = [(first, change, False), (change, config.steps, True)]
    for start, end, photos_only in turns:
        if start >= end:
            continue
        crops = EvidenceCrops(
            load_pictures(faces, photos_only=photos_only),
            crop=config.crop,
            batch=config.batch,
            seed=config.seed,
        )
        yield from DataLoader(
            crops, batch_size=None, sampler=range(start, end), num_workers=config.workers, prefetch_factor=8
        )


def _set_learning_rate(optimizer: Adam, config: EvidenceTrainConfig, step: int) -> None:
    rate = config.learning_rate * min(1.0, (step + 1) / max(config.warmup, 1))
    start = config.decay_from * config.steps
    if step > start:
        share = (step - start) / max(config.steps - start, 1)
        low = config.final_learning_rate
        rate = low + (config.learning_rate - low) * 0.5 * (1 + math.cos(math.pi * share))
    for group in optimizer.param_groups:
        group["lr"] = rate


@torch.no_grad()
def _update_average(average: EvidenceNetwork, network: EvidenceNetwork, decay: float) -> None:
    for mean, value in zip(average.parameters(), network.parameters(), strict=True):
        mean.lerp_(value, 1 - decay)


def _save(path: Path, network: EvidenceNetwork, average: EvidenceNetwork, optimizer: Adam, step: int) -> None:
    partial = path.with_suffix(".partial")
    state = {
        "step": step,
        "network": network.state_dict(),
        "average": average.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    torch.save(state, partial)
    partial.replace(path)


def _resume(path: Path, network: EvidenceNetwork, average: EvidenceNetwork, optimizer: Adam) -> int:
    state = torch.load(path, map_location="cpu", weights_only=True)
    network.load_state_dict(state["network"])
    average.load_state_dict(state["average"])
    optimizer.load_state_dict(state["optimizer"])
    logger.info("continuing from step %d of %s", state["step"], path)
    return int(state["step"])


def _log(folder: Path, step: int, values: dict[str, float]) -> None:
    line = {"step": step} | {name: float(f"{value:.5g}") for name, value in values.items()}
    with (folder / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    logger.info("%s", "  ".join(f"{name} {value:g}" for name, value in line.items()))
