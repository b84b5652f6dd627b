"""Stage two: aligns the features of the HQ and LQ encoders (docs/daefr.md, "Stage 2")."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

from torch import Tensor, nn
from torch.optim import Adam

from vidrestore.daefr.vqgan import Vqgan
from vidrestore.training.config import TrainConfig, read_config
from vidrestore.training.data.dataset import Batch
from vidrestore.training.distributed import optimizer_step
from vidrestore.training.loop import Validation, run
from vidrestore.training.losses.loss_terms import AssociationLoss
from vidrestore.training.stage_weights import load_discriminator, load_vqgan, require_start
from vidrestore.training.stages.reconstruction import Reconstruction, reconstruct


class AssociationStage:
    """Trains both autoencoders on their own domains while their features are aligned."""

    discriminator: nn.Module | None = None

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        hq, lq = (load_vqgan(require_start(config, role)).requires_grad_(True) for role in ("hq", "lq"))
        self.hq = Reconstruction(hq, config.loss, config.optim)
        self.lq = Reconstruction(lq, config.loss, config.optim)
        for role, part in (("hq", self.hq), ("lq", self.lq)):
            load_discriminator(config.start[role], part.picture.discriminator)
        # The authors' code does not train the scale, although their paper says so.
        self.association = AssociationLoss(trained_scale=config.network != "published")
        self.averaged = nn.ModuleDict({"hq": hq, "lq": lq})
        self.modules = nn.ModuleDict(
            {
                "hq": hq,
                "lq": lq,
                "association": self.association,
                "hq_discriminator": self.hq.picture.discriminator,
                "lq_discriminator": self.lq.picture.discriminator,
                "hq_usage": self.hq.usage,
                "lq_usage": self.lq.usage,
            }
        )
        self._trained = [*chain(hq.parameters(), lq.parameters(), self.association.parameters())]
        self._trained = [p for p in self._trained if p.requires_grad]
        self.optim = Adam(self._trained, config.optim.learning_rate, config.optim.betas, fused=True)
        self.optimizers = {
            "autoencoders": self.optim,
            "hq_discriminator": self.hq.picture.discriminator_optim,
            "lq_discriminator": self.lq.picture.discriminator_optim,
        }

    def step(self, batch: Batch, step: int) -> dict[str, float]:
        """Updates both autoencoders and, after their first step, both discriminators."""
        log: dict[str, float] = {}
        logs: dict[str, dict[str, float]] = {"hq": {}, "lq": {}}
        pairs: dict[str, list[tuple[Tensor, Tensor]]] = {"hq": [], "lq": []}
        self.optim.zero_grad(set_to_none=True)
        for part in batch.split(self.config.optim.accumulate):
            hq_loss, hq_restored, h = self.hq.loss(part.clean, step, logs["hq"])
            lq_loss, lq_restored, low = self.lq.loss(part.degraded, step, logs["lq"])
            association = self.association(h, low)
            ((hq_loss + lq_loss + association) / self.config.optim.accumulate).backward()
            pairs["hq"].append((part.clean, hq_restored.detach()))
            pairs["lq"].append((part.degraded, lq_restored.detach()))
            log["association"] = association.item()
        optimizer_step(self.optim, self._trained, self.config.optim.clip)
        self.hq.picture.step_discriminator(pairs["hq"], step, logs["hq"])
        self.lq.picture.step_discriminator(pairs["lq"], step, logs["lq"])
        return log | {f"{domain}_{k}": v for domain, values in logs.items() for k, v in values.items()}

    def validate(self, networks: nn.ModuleDict, batch: Batch) -> Validation:
        """The distance of the encoders' features, and the reconstructions of both autoencoders."""
        hq, lq = networks["hq"], networks["lq"]
        assert isinstance(hq, Vqgan)
        assert isinstance(lq, Vqgan)
        apart = self.association(hq.encode(batch.clean), lq.encode(batch.degraded))
        rows = [batch.clean, reconstruct(hq, batch.clean), batch.degraded, reconstruct(lq, batch.degraded)]
        error = self.hq.picture.error(rows[1], rows[0]) + self.lq.picture.error(rows[3], rows[2])
        return Validation(score=error + apart.item(), pictures=rows)


def train(config_path: Path, overrides: list[str]) -> Path:
    """Trains the stage, from its last checkpoint if there is one, and returns the file of weights."""
    config = read_config(config_path, overrides)
    return run(AssociationStage, config)
