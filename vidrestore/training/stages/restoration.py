"""Stage three: predicts the codes of the clean face from the degraded face (docs/daefr.md, "Stage 3")."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam

from vidrestore.daefr.checkpoint import load
from vidrestore.daefr.model import Daefr
from vidrestore.training.config import TrainConfig, read_config
from vidrestore.training.data.dataset import Batch
from vidrestore.training.distributed import optimizer_step
from vidrestore.training.loop import Validation, run
from vidrestore.training.losses.loss_terms import feature_weights
from vidrestore.training.stage_weights import load_vqgan, require_start

FEATURE_WEIGHT = 10.0


class RestorationStage:
    """Trains both encoders and the code predictor; the targets are the codes of the HQ model of stage one."""

    discriminator: nn.Module | None = None

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        fixed = load_vqgan(require_start(config, "hq")).requires_grad_(False).eval()
        # The detail head is added by the last stage, detail.
        network = Daefr(replace(fixed.config, detail_width=0))
        if "network" in config.start:
            network.load_state_dict(_without_head(load(config.start["network"])))
        else:
            association = require_start(config, "association")
            for role, encoder, quant_conv in (
                ("hq.", network.hq_encoder, network.hq_quant_conv),
                ("lq.", network.lq_encoder, network.lq_quant_conv),
            ):
                associated = load_vqgan(association, role)
                encoder.load_state_dict(associated.encoder.state_dict())
                quant_conv.load_state_dict(associated.quant_conv.state_dict())
        # The target codes and the decoder are always those of stage one.
        network.codebook.load_state_dict(fixed.codebook.state_dict())
        network.post_quant_conv.load_state_dict(fixed.post_quant_conv.state_dict())
        network.decoder.load_state_dict(fixed.decoder.state_dict())
        network.requires_grad_(True)
        for frozen in (network.codebook, network.post_quant_conv, network.decoder):
            frozen.requires_grad_(False)
        self.network, self.fixed = network, fixed
        self.modules = nn.ModuleDict({"network": network, "fixed": fixed})
        self.averaged = nn.ModuleDict({"network": network})
        self._trained = [p for p in network.parameters() if p.requires_grad]
        self.optim = Adam(self._trained, config.optim.learning_rate, config.optim.betas, fused=True)
        self.optimizers = {"network": self.optim}
        self._weights = feature_weights(fixed.config.latent_size, config.loss.landmark_weight).flatten()

    def step(self, batch: Batch, step: int) -> dict[str, float]:
        """Makes a step and returns cross entropy, feature error and the share of correct codes."""
        log: dict[str, float] = {}
        self.optim.zero_grad(set_to_none=True)
        for part in batch.split(self.config.optim.accumulate):
            loss = self._loss(self.network, part, log)
            (loss / self.config.optim.accumulate).backward()
        optimizer_step(self.optim, self._trained, self.config.optim.clip)
        return log

    def validate(self, networks: nn.ModuleDict, batch: Batch) -> Validation:
        """The loss of the stage, and the faces that are restored with the most probable codes."""
        network = networks["network"]
        assert isinstance(network, Daefr)
        score = self._loss(network, batch, {}).item()
        return Validation(score=score, pictures=[batch.degraded, network(batch.degraded), batch.clean])

    def _loss(self, network: Daefr, batch: Batch, log: dict[str, float]) -> Tensor:
        with torch.no_grad():
            target_codes = self.fixed.codebook.nearest(self.fixed.encode(batch.clean))  # (N, L, L)
            target = self.fixed.codebook.look_up(target_codes).float()
        fused = network.encode(batch.degraded)
        logits = network.predict(fused).float()
        surprise = F.cross_entropy(
            logits.transpose(1, 2), target_codes.flatten(1), reduction="none"
        )  # (N, T)
        cross_entropy = (surprise * self._weights.to(surprise.device)).mean()
        feature_error = (fused.float() - target).square().mean()
        right = (logits.argmax(-1) == target_codes.flatten(1)).float().mean()
        log.update(
            cross_entropy=cross_entropy.item(), feature_error=feature_error.item(), accuracy=right.item()
        )
        return cross_entropy + FEATURE_WEIGHT * feature_error


def _without_head(network: Daefr) -> dict[str, Tensor]:
    """The weights of plain DAEFR, without those of the detail head."""
    return {name: t for name, t in network.state_dict().items() if not name.startswith("detail_head.")}


def train(config_path: Path, overrides: list[str]) -> Path:
    """Trains the stage, from its last checkpoint if there is one, and returns the file of weights."""
    config = read_config(config_path, overrides)
    return run(RestorationStage, config)
