"""The last stage, this project's own: skips that carry the degraded face's detail into the decoder.

Everything but the skips stays as stage three left it, so that fidelity 0 remains plain DAEFR. The skips see
the codes that the network predicts, not the true ones: they learn to mend what inference gets wrong
(CodeFormer, Zhou et al. 2022, section 3.3).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Adam

from vidrestore.daefr.checkpoint import load
from vidrestore.daefr.fidelity import PictureTransform
from vidrestore.daefr.model import Daefr
from vidrestore.restoration.generator import SOFT_TEMPERATURE, SOFT_TOP
from vidrestore.training.config import TrainConfig, read_config
from vidrestore.training.data.dataset import Batch
from vidrestore.training.distributed import optimizer_step
from vidrestore.training.loop import Validation, run
from vidrestore.training.losses.loss_terms import (
    degradation_share,
    degradation_weights,
    edge_loss,
    pixel_loss,
)
from vidrestore.training.losses.picture_loss import PictureLoss
from vidrestore.training.stage_weights import require_start
from vidrestore.training.stages.codebook import NETWORKS

VERDICT_WEIGHT = 0.1
"""Of the error about how much a face has lost, beside the errors of pixels."""


class FidelityStage:
    """Trains the skips of a finished network at full weight, against the clean face."""

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        start = load(require_start(config, "network"))
        wanted = NETWORKS[config.network]
        shape = replace(
            start.config, fidelity_sides=wanted.fidelity_sides, fidelity_picture=wanted.fidelity_picture
        )
        self.network = Daefr(shape).requires_grad_(False)
        self.network.load_state_dict(start.state_dict(), strict=False)
        skips = self.network.fidelity
        if "skips" in config.start:  # an earlier network may have had fewer
            skips.load_state_dict(load(config.start["skips"]).fidelity.state_dict(), strict=False)
        for name, parameter in skips.named_parameters():
            parameter.requires_grad_(_is_trained(name, config))
        self.picture = PictureLoss(start.config.image_size, config.loss, config.optim)
        self.modules = nn.ModuleDict({"network": self.network, "discriminator": self.picture.discriminator})
        self.averaged = nn.ModuleDict({"network": self.network})
        self._trained = [p for p in skips.parameters() if p.requires_grad]
        self.optim = Adam(self._trained, config.optim.learning_rate, config.optim.betas, fused=True)
        self.optimizers = {"skips": self.optim, "discriminator": self.picture.discriminator_optim}
        # The decoder's own last layer is frozen; the discriminator's weight is balanced at the last skip.
        last = dict(skips.named_modules())[
            "picture.leave" if shape.fidelity_picture else f"{shape.fidelity_sides[0]}.shift.2"
        ]
        assert isinstance(last, nn.Conv2d)
        self._last_layer = last.weight

    def step(self, batch: Batch, step: int) -> dict[str, float]:
        """One update of the skips; returns what is logged."""
        log: dict[str, float] = {}
        self.optim.zero_grad(set_to_none=True)
        pairs = []
        for part in batch.split(self.config.optim.accumulate):
            if self.config.train_mend_head_only:
                restored, loss = _kept_loss(self.network, part, log)
            else:
                restored = _restore(self.network, part.degraded)
                loss = self.picture.loss(restored, part.clean, self._last_layer, step, log, part.degraded)
            (loss / self.config.optim.accumulate).backward()
            pairs.append((part.clean, restored.detach()))
        optimizer_step(self.optim, self._trained, self.config.optim.clip)
        self.picture.step_discriminator(pairs, step, log)
        return log

    def validate(self, networks: nn.ModuleDict, batch: Batch) -> Validation:
        """How near the faces come with the skips at full weight."""
        network = networks["network"]
        assert isinstance(network, Daefr)
        restored = _restore(network, batch.degraded)
        rows = [batch.degraded, network(batch.degraded), restored, batch.clean]
        return Validation(score=self.picture.error(restored, batch.clean), pictures=rows)


def _is_trained(name: str, config: TrainConfig) -> bool:
    """Whether a parameter of the skips, named by its path, is trained: what is kept is trained by itself."""
    skip, part = name.split(".")[:2]
    if skip == "picture" and part in PictureTransform.KEPT:
        return config.train_mend_head_only
    return not config.train_mend_head_only and (skip == "picture" or not config.picture_only)


def _kept_loss(network: Daefr, batch: Batch, log: dict[str, float]) -> tuple[Tensor, Tensor]:
    """Faces restored, and the loss of what stays of the degraded ones.

    The mended face is held to its pixels; the verdict to how much was lost in truth, for by pixels' errors
    every blur would stay: it errs least where detail cannot be placed.
    """
    with torch.no_grad():
        skip = network.fidelity["picture"]
        assert isinstance(skip, PictureTransform)
        restored = network.decode(_quantised(network, batch.degraded)[0]).float()
    drawn, mended = (picture.float() for picture in skip.parts(restored, batch.degraded))
    quality_logit = skip.quality_logit(batch.degraded)
    kept = drawn + skip.keep_weight_from_logit(quality_logit.detach()) * (mended - drawn).detach()
    even, lost = (
        degradation_weights(batch.degraded, batch.clean),
        degradation_share(batch.degraded, batch.clean),
    )
    error = pixel_loss(mended, batch.clean, even) + edge_loss(mended, batch.clean, even)
    verdict = F.binary_cross_entropy_with_logits(quality_logit.flatten(), 1 - lost)
    log.update(mended=error.item(), verdict=verdict.item())
    return kept, error + VERDICT_WEIGHT * verdict


def _quantised(network: Daefr, degraded: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Codebook vectors as the product has them, and the levels of the degraded faces."""
    fused, levels = network.encode_with_levels(degraded, network.config.level_sides)
    logits = network.predict(fused.float())
    return network.codebook.expect(logits, top=SOFT_TOP, temperature=SOFT_TEMPERATURE), levels


def _restore(network: Daefr, degraded: Tensor) -> Tensor:
    """Faces with the skips at full weight; only those take gradients."""
    with torch.no_grad():
        quantised, levels = _quantised(network, degraded)
    return network.decode(quantised, levels, fidelity=1.0).float()


def train(config_path: Path, overrides: list[str]) -> Path:
    """Run the stage to its end, or on from its last checkpoint; returns the file of weights."""
    config = read_config(config_path, overrides)
    return run(FidelityStage, config)
