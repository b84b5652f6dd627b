"""Stage two: the encoders of clean and of degraded faces are drawn together (specification, "Stage 2")."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import torch
from torch import nn
from torch.optim import Adam

from vidrestore.training.config import TrainConfig, read_config
from vidrestore.training.dataset import Batch
from vidrestore.training.loop import run
from vidrestore.training.losses import Association
from vidrestore.training.reconstruction import Reconstruction
from vidrestore.training.stage_weights import load_vqgan, require_start


class AssociationStage:
    """Both autoencoders go on reconstructing their own domain while their features learn to agree."""

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        hq, lq = (load_vqgan(require_start(config, role)).requires_grad_(True) for role in ("hq", "lq"))
        self.hq = Reconstruction(hq, config.loss, config.optim)
        self.lq = Reconstruction(lq, config.loss, config.optim)
        self.association = Association()
        self.averaged = nn.ModuleDict({"hq": hq, "lq": lq})
        self.modules = nn.ModuleDict(
            {
                "hq": hq,
                "lq": lq,
                "association": self.association,
                "hq_discriminator": self.hq.picture.discriminator,
                "lq_discriminator": self.lq.picture.discriminator,
            }
        )
        self._trained = [*chain(hq.parameters(), lq.parameters(), self.association.parameters())]
        self.optim = Adam(self._trained, config.optim.learning_rate, config.optim.betas, fused=True)
        self.optimizers = {
            "autoencoders": self.optim,
            "hq_discriminator": self.hq.picture.discriminator_optim,
            "lq_discriminator": self.lq.picture.discriminator_optim,
        }

    def step(self, batch: Batch, step: int) -> dict[str, float]:
        """One update of both autoencoders and, once they are on, of both discriminators."""
        hq_log: dict[str, float] = {}
        lq_log: dict[str, float] = {}
        self.optim.zero_grad(set_to_none=True)
        hq_loss, hq_restored, h = self.hq.loss(batch.clean, step, hq_log)
        lq_loss, lq_restored, low = self.lq.loss(batch.degraded, step, lq_log)
        association = self.association(h, low)
        (hq_loss + lq_loss + association).backward()
        if self.config.optim.clip:
            torch.nn.utils.clip_grad_norm_(self._trained, self.config.optim.clip)
        self.optim.step()
        self.hq.picture.step_discriminator(batch.clean, hq_restored, step, hq_log)
        self.lq.picture.step_discriminator(batch.degraded, lq_restored, step, lq_log)
        log = {f"hq_{k}": v for k, v in hq_log.items()} | {f"lq_{k}": v for k, v in lq_log.items()}
        return log | {"association": association.item()}


def train(config_path: Path, overrides: list[str]) -> Path:
    """Run the stage to its end, or on from its last checkpoint; returns the file of weights."""
    config = read_config(config_path, overrides)
    return run(AssociationStage, config)
