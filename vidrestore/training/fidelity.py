"""The last stage, this project's own: skips that carry the degraded face's detail into the decoder.

Everything but the skips stays as stage three left it, so that fidelity 0 remains plain DAEFR. The skips see
the codes that the network predicts, not the true ones: they learn to mend what inference gets wrong
(CodeFormer, Zhou et al. 2022, section 3.3).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Adam

from vidrestore.daefr.checkpoint import load
from vidrestore.daefr.fidelity import PictureTransform
from vidrestore.daefr.model import Daefr
from vidrestore.restoration.restorer import SOFT_TEMPERATURE, SOFT_TOP
from vidrestore.training.codebook import NETWORKS
from vidrestore.training.config import TrainConfig, read_config
from vidrestore.training.dataset import Batch
from vidrestore.training.loop import Validation, run
from vidrestore.training.losses import edge_loss, even_weights, pixel_loss, ruined_share
from vidrestore.training.picture_loss import PictureLoss
from vidrestore.training.processes import descend
from vidrestore.training.stage_weights import require_start

DISTRUST_WEIGHT = 0.35
"""Of trust in faces that hold little, beside the errors of those that hold much."""


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
        _trained_part(skips, config).requires_grad_(True)
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
            if self.config.trust_only:
                restored, loss = _trust_loss(self.network, part, log)
            else:
                restored = _restore(self.network, part.degraded)
                loss = self.picture.loss(restored, part.clean, self._last_layer, step, log, part.degraded)
            (loss / self.config.optim.accumulate).backward()
            pairs.append((part.clean, restored.detach()))
        descend(self.optim, self._trained, self.config.optim.clip)
        self.picture.step_discriminator(pairs, step, log)
        return log

    def validate(self, networks: nn.ModuleDict, batch: Batch) -> Validation:
        """How near the faces come with the skips at full weight."""
        network = networks["network"]
        assert isinstance(network, Daefr)
        restored = _restore(network, batch.degraded)
        rows = [batch.degraded, network(batch.degraded), restored, batch.clean]
        return Validation(score=self.picture.error(restored, batch.clean), pictures=rows)


def _trained_part(skips: nn.ModuleDict, config: TrainConfig) -> nn.Module:
    picture = skips["picture"] if config.picture_only or config.trust_only else None
    if config.trust_only:
        assert isinstance(picture, PictureTransform)
        last = picture.trust[-1]
        assert isinstance(last, nn.Conv2d)
        assert last.bias is not None
        if (last.bias == picture.FRESH_TRUST).all():
            # Undecided: where all is distrusted from the start, nothing is learned.
            nn.init.constant_(last.bias, -0.5)
        return nn.ModuleList([picture.mend, picture.trust, picture.verdict])
    return skips if picture is None else picture


def _trust_loss(network: Daefr, batch: Batch, log: dict[str, float]) -> tuple[Tensor, Tensor]:
    """Faces restored, and their loss: where little is wrong the pixels' error, else trust itself.

    Errors alone would trust every blur: it errs least where detail cannot be placed. The mended face is held
    to its pixels by itself too, or it would be mended only where it is trusted.
    """
    with torch.no_grad():
        picture = network.fidelity["picture"]
        assert isinstance(picture, PictureTransform)
        restored = network.decode(_quantised(network, batch.degraded)[0]).float()
    drawn, mended, trust = picture.parts(restored, batch.degraded)
    mixed, mended = (drawn + trust * (mended - drawn)).float(), mended.float()
    share = ruined_share(batch.degraded, batch.clean)
    weights = (1 - share)[:, None, None, None]
    distrust = (share * trust.float().mean((1, 2, 3))).mean()
    error = pixel_loss(mixed, batch.clean, weights) + edge_loss(mixed, batch.clean, weights)
    even = even_weights(batch.degraded, batch.clean)
    unmended = pixel_loss(mended, batch.clean, even) + edge_loss(mended, batch.clean, even)
    log.update(error=error.item(), unmended=unmended.item(), distrust=distrust.item())
    return mixed, error + unmended + DISTRUST_WEIGHT * distrust


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
