"""Chooses the engine for the settings."""

from __future__ import annotations

import os

from vidrestore.errors import UsageError
from vidrestore.jobs.engines.in_process import InProcessEngine
from vidrestore.jobs.engines.processes import ProcessEngine
from vidrestore.jobs.engines.protocol import Engine
from vidrestore.settings import Settings


def make_engine(settings: Settings) -> Engine:
    """The engine for the settings.

    Raises:
        UsageError: The engine is not installed.
    """
    if settings.engine == "ray":
        try:
            from vidrestore.jobs.engines.ray_cluster import RayEngine
        except ImportError as error:
            raise UsageError("--engine ray needs Ray: pip install 'vidrestore[ray]'") from error
        return RayEngine(settings.workers, on_gpus=_may_use_gpus(settings))
    gpus = _gpu_count(settings)
    workers = settings.workers or max(gpus, 1)
    if workers == 1 and not gpus:
        return InProcessEngine()
    return ProcessEngine(workers, gpus=gpus, threads=max((os.cpu_count() or 1) // workers, 1))


def _may_use_gpus(settings: Settings) -> bool:
    return settings.device == "auto" or settings.device.startswith("cuda")


def _gpu_count(settings: Settings) -> int:
    """Number of GPUs to distribute workers over: 1 if the settings name one, 0 on a CPU."""
    if settings.device not in ("auto", "cuda"):
        return 1 if settings.device.startswith("cuda") else 0
    import torch

    return torch.cuda.device_count()
