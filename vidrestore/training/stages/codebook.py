"""Stage one: trains a VQGAN with its codebook on clean or on degraded faces (docs/daefr.md, "Stage 1")."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn
from torch.optim import Adam

from vidrestore.daefr.config import COMPACT, PUBLISHED
from vidrestore.daefr.vqgan import Vqgan
from vidrestore.training.config import TrainConfig, read_config
from vidrestore.training.data.dataset import Batch
from vidrestore.training.distributed import optimizer_step
from vidrestore.training.loop import Validation, run
from vidrestore.training.stage_weights import autoencoder_of, load_vqgan
from vidrestore.training.stages.reconstruction import Reconstruction, reconstruct

NETWORKS = {"published": PUBLISHED, "compact": COMPACT}


class CodebookStage:
    """Trains an autoencoder on clean or on degraded faces, which are both input and target."""

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        network = _start(config).requires_grad_(True)
        network.codebook.requires_grad_(not config.freeze_codebook)
        self.part = Reconstruction(network, config.loss, config.optim, quantise_from=config.quantise_from)
        self.discriminator: nn.Module | None = self.part.picture.discriminator
        self.modules = nn.ModuleDict(
            {
                "autoencoder": network,
                "discriminator": self.part.picture.discriminator,
                "usage": self.part.usage,
            }
        )
        self.averaged = nn.ModuleDict({"autoencoder": network})
        self._trained = [p for p in network.parameters() if p.requires_grad]
        self.optim = Adam(self._trained, config.optim.learning_rate, config.optim.betas, fused=True)
        self.optimizers = {"autoencoder": self.optim, "discriminator": self.part.picture.discriminator_optim}

    def step(self, batch: Batch, step: int) -> dict[str, float]:
        """Makes a step and returns its log values."""
        log: dict[str, float] = {}
        config = self.config
        if step == config.quantise_from and step > 0:
            self.part.initialise_codebook()
        elif self._is_reset_step(step):
            self.part.reset_unused_codes(log)
        self.optim.zero_grad(set_to_none=True)
        pairs = []
        for part in batch.split(config.optim.accumulate):
            faces = self._domain(part)
            loss, restored, _ = self.part.loss(faces, step, log)
            (loss / config.optim.accumulate).backward()
            pairs.append((faces, restored.detach()))
        optimizer_step(self.optim, self._trained, config.optim.clip)
        self.part.picture.step_discriminator(pairs, step, log)
        return log

    def validate(self, networks: nn.ModuleDict, batch: Batch) -> Validation:
        """The reconstruction error of faces of the stage's domain."""
        faces = self._domain(batch)
        restored = reconstruct(networks["autoencoder"], faces)
        return Validation(score=self.part.picture.error(restored, faces), pictures=[faces, restored])

    def _domain(self, batch: Batch) -> Tensor:
        return batch.clean if self.config.domain == "hq" else batch.degraded

    def _is_reset_step(self, step: int) -> bool:
        config = self.config
        # After a reset near the end, the decoder would not learn the new codes.
        in_time = config.quantise_from < step < 0.8 * config.steps
        return config.code_reset_every > 0 and in_time and step % config.code_reset_every == 0


def _start(config: TrainConfig) -> Vqgan:
    if "network" in config.start:
        return autoencoder_of(config.start["network"])
    start = config.start.get("autoencoder")
    return load_vqgan(start) if start else Vqgan(NETWORKS[config.network])


def train(config_path: Path, overrides: list[str]) -> Path:
    """Trains the stage, from its last checkpoint if there is one, and returns the file of weights."""
    config = read_config(config_path, overrides)
    return run(CodebookStage, config)
