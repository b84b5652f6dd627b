"""Trains the evidence network: its mean by the squared error, its scale by the likelihood."""

from __future__ import annotations

import copy
import logging
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.optim import Adam
from torch.utils.data import DataLoader

from vidrestore.errors import UsageError, WeightsError
from vidrestore.evidence.checkpoint import load_evidence, save_evidence
from vidrestore.evidence.network import Evidence, EvidenceConfig, EvidenceNetwork
from vidrestore.evidence.two_sizes import TwoSizeEvidence, halved
from vidrestore.runtime.device import resolve_device
from vidrestore.training.data.evidence_crops import (
    EvidenceCrops,
    MakePair,
    find_faces,
    load_pictures,
    make_half_size_pair,
    make_pair,
    make_whole_face_pair,
    validation_pairs,
)
from vidrestore.training.data.people import FaceFile
from vidrestore.training.data.refinement_crops import random_crops
from vidrestore.training.ema import update_ema
from vidrestore.training.evidence_config import EvidenceTrainConfig, read_evidence_config
from vidrestore.training.losses.evidence_loss import calibration, evidence_loss
from vidrestore.training.run_log import RunLog
from vidrestore.training.saved_state import does_not_fit, load_state, save_state

__all__ = ["read_evidence_config", "train", "train_evidence", "validate_evidence"]
logger = logging.getLogger(__name__)

VALIDATION_CROPS = 96


@dataclass(frozen=True, slots=True)
class _Run:
    """The state of a run."""

    network: EvidenceNetwork
    average: EvidenceNetwork
    optimizer: Adam
    half: EvidenceNetwork | None
    """The network for half size, whose estimates are refined; None: the network estimates pictures alone."""


def train(config_path: Path, overrides: list[str]) -> Path:
    """Trains the stage, from its last checkpoint if there is one, and returns the file of weights."""
    return train_evidence(read_evidence_config(config_path, overrides))


def train_evidence(config: EvidenceTrainConfig) -> Path:
    """Trains from the last checkpoint in `config.output`, or from the start; returns the file of weights.

    Raises:
        InputError: There are no faces.
        UsageError, DeviceError: A setting is wrong.
        WeightsError: The start weights or the checkpoint do not fit.
    """
    device = resolve_device(config.device)
    torch.manual_seed(config.seed)
    torch.set_num_threads(config.threads)
    cv2.setNumThreads(1)  # a forked process would wait for OpenCV's missing threads for ever
    run = _start_run(config, device)
    faces = find_faces(config.faces, borders=config.borders)
    held_out = [face for face in faces if face.is_held_out and face.is_photo]
    make, side = _pair_maker(config), _side(config)
    validation = validation_pairs(held_out, side, VALIDATION_CROPS, make) if held_out else None
    config.output.mkdir(parents=True, exist_ok=True)
    state_file, weights_file = config.output / "last.pt", config.output / "evidence.safetensors"
    first = _resume(state_file, run) if state_file.is_file() else 0
    run_log = RunLog(config.output)
    batches = _batches(config, [face for face in faces if not face.is_held_out], first)
    start = time.monotonic()
    for step in range(first, config.steps):
        clean, degraded = (pictures.to(device) for pictures in next(batches))
        log = _step(run, config, step, clean, degraded)
        done = step + 1
        last = done == config.steps
        if done % config.log_every == 0 or last:
            crops = (done - first) * config.batch
            values = {name: float(value) for name, value in log.items()}
            run_log.scalars(done, values | {"crops_per_second": crops / (time.monotonic() - start)})
        if done % config.save_every == 0 or last:
            _save(state_file, run, done)
            save_evidence(run.average, weights_file)
        if validation is not None and (done % config.validate_every == 0 or last):
            run_log.scalars(done, validate_evidence(_validated(run), *validation))
    run_log.close()
    return weights_file


@torch.no_grad()
def validate_evidence(
    network: EvidenceNetwork | TwoSizeEvidence, clean: Tensor, degraded: Tensor
) -> dict[str, float]:
    """PSNR, likelihood and calibration of the scale.

    Args:
        network: The evidence network, or several of them.
        clean: (N, 3, S, S) in 0..1.
        degraded: (N, 3, S, S) in 0..1.

    Returns:
        Scores by name. `calibration_K_low` and `calibration_K_high` are the true mean error in band K divided
        by the predicted one, for the lowest and the highest decile of the predicted error.
    """
    device = next(network.parameters()).device
    results = [network(part.to(device)) for part in degraded.split(16)]
    mean = torch.cat([result.mean for result in results]).cpu()
    evidence = Evidence(mean, torch.cat([result.scale for result in results]).cpu())
    _, likelihood = evidence_loss(evidence, clean)
    before, after = (_psnr(picture, clean) for picture in (degraded, mean.clamp(0, 1)))
    changed = before < 60
    values = {"validation": likelihood.item()}
    if changed.any():
        values |= {"psnr_input": before[changed].mean().item(), "psnr": after[changed].mean().item()}
    if (~changed).any():
        values["psnr_clean"] = after[~changed].clamp(max=70).mean().item()
    for k, ratios in enumerate(calibration(evidence, clean)):
        values[f"calibration_{k}_low"], values[f"calibration_{k}_high"] = ratios[0], ratios[-1]
    return values


def _start_run(config: EvidenceTrainConfig, device: torch.device) -> _Run:
    network = EvidenceNetwork(EvidenceConfig.from_dict(config.network))
    if config.crop % network.config.multiple:
        raise UsageError(
            f"crop must be a multiple of {network.config.multiple} pixels for this network, got {config.crop}"
        )
    half = None if config.refine is None else load_evidence(config.refine)
    if config.start is not None:
        start = load_evidence(config.start)
        if half is not None and not start.config.refines:
            _copy_equal_layers(start, network)
        elif start.config != network.config:
            raise WeightsError(f"{config.start} has another evidence network than the setting network")
        else:
            network.load_state_dict(start.state_dict())
    network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = copy.deepcopy(network).requires_grad_(False).eval()
    optimizer = Adam(network.parameters(), config.learning_rate, betas=(0.9, 0.99), fused=True)
    if half is not None:
        half = half.requires_grad_(False).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return _Run(network, average, optimizer, half)


def _copy_equal_layers(start: EvidenceNetwork, network: EvidenceNetwork) -> None:
    """Copies weights of equal name and shape, but not those of the scale, which have another meaning."""
    given, state = start.state_dict(), network.state_dict()
    for name, tensor in state.items():
        if name in given and given[name].shape == tensor.shape and not name.startswith("scale."):
            tensor.copy_(given[name])


def _step(
    run: _Run, config: EvidenceTrainConfig, step: int, clean: Tensor, degraded: Tensor
) -> dict[str, Tensor | float]:
    """Makes a step and returns its log values."""
    _set_learning_rate(run.optimizer, config, step)
    with torch.autocast(clean.device.type, torch.bfloat16, enabled=config.precision == "bf16"):
        if run.half is None:
            evidence = run.network(degraded)
        else:
            with torch.no_grad():
                half = run.half(halved(degraded))
            crops = random_crops(
                clean, degraded, half, config.crop, np.random.default_rng([config.seed, step])
            )
            clean = crops.clean
            evidence = run.network(crops.degraded, crops.half)
    mean, scale = evidence_loss(evidence, clean)
    run.optimizer.zero_grad(set_to_none=True)
    (mean + scale).backward()
    norm = torch.nn.utils.clip_grad_norm_(run.network.parameters(), config.clip)
    run.optimizer.step()
    update_ema(run.average, run.network, min(config.average, (1 + step) / (10 + step)))
    rate = float(run.optimizer.param_groups[0]["lr"])
    return {"mean": mean.detach(), "scale": scale.detach(), "norm": norm, "rate": rate}


def _batches(
    config: EvidenceTrainConfig, faces: list[FaceFile], first: int
) -> Iterator[tuple[Tensor, Tensor]]:
    turns = [(first, config.steps, False)]
    if config.photos_only_from is not None:
        change = min(max(first, config.photos_only_from), config.steps)
        turns = [(first, change, False), (change, config.steps, True)]
    for start, end, photos_only in turns:
        if start >= end:
            continue
        crops = EvidenceCrops(
            load_pictures(faces, photos_only=photos_only),
            crop=_side(config),
            batch=config.batch,
            seed=config.seed,
            make=_pair_maker(config),
        )
        yield from DataLoader(
            crops,
            batch_size=None,
            sampler=range(start, end),
            num_workers=config.workers,
            prefetch_factor=8 if config.workers else None,
        )


def _pair_maker(config: EvidenceTrainConfig) -> MakePair:
    if config.refine is not None:
        return make_whole_face_pair
    return make_half_size_pair if config.half_size else make_pair


def _side(config: EvidenceTrainConfig) -> int:
    """Pixels a side of the pairs."""
    return 2 * config.crop if config.refine is not None else config.crop


def _validated(run: _Run) -> EvidenceNetwork | TwoSizeEvidence:
    """What is validated: the averaged network, with the one that it refines."""
    return run.average if run.half is None else TwoSizeEvidence(run.half, run.half, run.average)


def _set_learning_rate(optimizer: Adam, config: EvidenceTrainConfig, step: int) -> None:
    rate = config.learning_rate * min(1.0, (step + 1) / max(config.warmup, 1))
    start = config.decay_from * config.steps
    if step > start:
        share = (step - start) / max(config.steps - start, 1)
        low = config.final_learning_rate
        rate = low + (config.learning_rate - low) * 0.5 * (1 + math.cos(math.pi * share))
    for group in optimizer.param_groups:
        group["lr"] = rate


def _save(path: Path, run: _Run, step: int) -> None:
    state = {
        "step": step,
        "network": run.network.state_dict(),
        "average": run.average.state_dict(),
        "optimizer": run.optimizer.state_dict(),
    }
    save_state(path, state)


def _resume(path: Path, run: _Run) -> int:
    state = load_state(path, ("step", "network", "average", "optimizer"))
    try:
        run.network.load_state_dict(state["network"])
        run.average.load_state_dict(state["average"])
        run.optimizer.load_state_dict(state["optimizer"])
    except (RuntimeError, ValueError) as error:
        raise does_not_fit(path, error) from error
    logger.info("continuing from step %d of %s", state["step"], path)
    return int(state["step"])


def _psnr(picture: Tensor, truth: Tensor) -> Tensor:
    """(N,) dB."""
    return -10 * (picture - truth).square().mean((1, 2, 3)).clamp(min=1e-10).log10()
