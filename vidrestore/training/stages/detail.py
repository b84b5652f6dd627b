"""The last stage, which is not part of DAEFR: a head that draws from the codes and from the input.

Only the head is trained, so that `--fidelity 0` remains plain DAEFR. It gets features of the predicted codes,
not of the true ones, so it learns to correct errors of the prediction.

With an evidence network, the input is its estimate at two sizes, as at inference, and the losses are computed
after the fusion rule. So the head learns to draw detail that the estimate lacks and that the rule accepts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Adam

from vidrestore.daefr.checkpoint import load
from vidrestore.daefr.model import Daefr
from vidrestore.errors import UsageError
from vidrestore.evidence import Evidence, TwoSizeEvidence
from vidrestore.evidence.pyramid import mean_square
from vidrestore.evidence.two_size_files import EvidenceFiles
from vidrestore.restoration.fusion import fuse
from vidrestore.restoration.generator import SOFT_TEMPERATURE, SOFT_TOP
from vidrestore.training.config import TrainConfig, read_config
from vidrestore.training.data.dataset import Batch
from vidrestore.training.distributed import optimizer_step
from vidrestore.training.loop import Validation, run
from vidrestore.training.losses.loss_terms import edge_loss, pixel_loss
from vidrestore.training.losses.picture_loss import PictureLoss
from vidrestore.training.stage_weights import require_start
from vidrestore.training.stages.codebook import NETWORKS


class DetailStage:
    """Trains the detail head of a finished network; the clean face is the target."""

    discriminator: nn.Module | None = None

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        start = load(require_start(config, "network"))
        shape = replace(start.config, detail_width=NETWORKS[config.network].detail_width)
        self.network = Daefr(shape).requires_grad_(False)
        self.network.load_state_dict(start.state_dict(), strict=False)
        head = self.network.detail_head
        if head is None:
            raise UsageError(f"stage detail trains no network {config.network!r}: it has no detail head")
        head.requires_grad_(True)
        if "head" in config.start and (trained := load(config.start["head"]).detail_head):
            head.load_state_dict(trained.state_dict())
        self.evidence = _evidence(config.start)
        self.picture = PictureLoss(start.config.image_size, config.loss, config.optim)
        self.modules = nn.ModuleDict({"network": self.network, "discriminator": self.picture.discriminator})
        self.averaged = nn.ModuleDict({"network": self.network})
        self._trained = list(head.parameters())
        self.optim = Adam(self._trained, config.optim.learning_rate, config.optim.betas, fused=True)
        self.optimizers = {"head": self.optim, "discriminator": self.picture.discriminator_optim}
        self._last_layer = head.leave.weight  # for the balance of the adversarial loss

    def step(self, batch: Batch, step: int) -> dict[str, float]:
        """Makes a step and returns its log values."""
        log: dict[str, float] = {}
        self.optim.zero_grad(set_to_none=True)
        pairs = []
        for part in batch.split(self.config.optim.accumulate):
            drawn, restored = self._restore(self.network, part.degraded)
            loss = self.picture.loss(restored, part.clean, self._last_layer, step, log)
            if self.config.loss.drawn:
                own = pixel_loss(drawn, part.clean) + edge_loss(drawn, part.clean)
                log["drawn"] = own.item()
                loss = loss + self.config.loss.drawn * own
            (loss / self.config.optim.accumulate).backward()
            pairs.append((part.clean, restored.detach()))
        optimizer_step(self.optim, self._trained, self.config.optim.clip)
        self.picture.step_discriminator(pairs, step, log)
        return log

    def validate(self, networks: nn.ModuleDict, batch: Batch) -> Validation:
        """The error of the faces with the head's detail."""
        network = networks["network"]
        assert isinstance(network, Daefr)
        _, restored = self._restore(network, batch.degraded)
        rows = [batch.degraded, self._given(batch.degraded)[0], restored, batch.clean]
        return Validation(score=self.picture.error(restored, batch.clean), pictures=rows)

    def _restore(self, network: Daefr, degraded: Tensor) -> tuple[Tensor, Tensor]:
        """The drawn faces and the fused ones. Only the head gets gradients."""
        given, evidence = self._given(degraded)
        change = mean_square((given - degraded) / 2)
        drawn = _draw(network, given)
        if evidence is None:
            return drawn, drawn
        with torch.autocast(degraded.device.type, enabled=False):
            return drawn, fuse(evidence, (drawn + 1) / 2, change=change).faces * 2 - 1

    @torch.no_grad()
    def _given(self, degraded: Tensor) -> tuple[Tensor, Evidence | None]:
        """The input of the network: the faces, or their estimate by the evidence network."""
        if self.evidence is None:
            return degraded, None
        evidence = self.evidence.to(degraded.device)((degraded + 1) / 2)
        mean = evidence.mean.float().clamp(0, 1)
        return mean * 2 - 1, Evidence(mean, evidence.scale.float())


def _draw(network: Daefr, given: Tensor) -> Tensor:
    """The drawn faces. Only the head gets gradients."""
    with torch.no_grad():
        logits = network.predict(network.encode(given).float())
        quantised = network.codebook.expect(logits, top=SOFT_TOP, temperature=SOFT_TEMPERATURE)
    return network.decode(quantised, given).float()


def train(config_path: Path, overrides: list[str]) -> Path:
    """Trains the stage, from its last checkpoint if there is one, and returns the file of weights."""
    config = read_config(config_path, overrides)
    return run(DetailStage, config)


def _evidence(start: Mapping[str, Path]) -> TwoSizeEvidence | None:
    """The networks that estimate the input of the head; None: there are none."""
    if "evidence" not in start:
        return None
    files = EvidenceFiles(start["evidence"], start.get("evidence_half"), start.get("evidence_refinement"))
    return files.load().requires_grad_(False)
