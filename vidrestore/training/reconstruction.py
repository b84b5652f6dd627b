"""Training one autoencoder against its discriminator: what stages one and two have in common."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.optim import Adam

from vidrestore.daefr.blocks import to_tokens
from vidrestore.daefr.vqgan import Vqgan
from vidrestore.training.config import LossConfig, OptimConfig
from vidrestore.training.discriminator import balance, hinge, make_discriminator
from vidrestore.training.losses import make_perceptual


class Reconstruction:
    """A VQGAN, its discriminator, their losses and optimisers (specification, "Stage 1")."""

    def __init__(
        self, network: Vqgan, loss: LossConfig, optim: OptimConfig, *, quantise_from: int = 0
    ) -> None:
        self.network = network
        self.discriminator = make_discriminator(loss.discriminator_filters)
        self._loss = loss
        self._perceptual = make_perceptual(loss.perceptual)
        self._quantise_from = quantise_from
        self.used = torch.zeros(network.config.codes, dtype=torch.bool)
        self.samples = torch.zeros(0, network.config.embedding)
        self.discriminator_optim = Adam(
            self.discriminator.parameters(), optim.learning_rate, optim.betas, fused=True
        )

    def loss(self, faces: Tensor, step: int, log: dict[str, float]) -> tuple[Tensor, Tensor, Tensor]:
        """The autoencoder's loss, its reconstruction, and its features before quantisation."""
        features = self.network.encode(faces)
        if step >= self._quantise_from:
            quantised, codebook_loss, codes = self.network.codebook(features.float())
            self.used[codes.flatten().cpu()] = True
        else:
            quantised, codebook_loss = features, features.new_zeros(())
        tokens = to_tokens(features.detach()).flatten(0, 1).float()
        self.samples = torch.cat([self.samples.to(tokens.device), tokens])[-8192:]
        restored = self.network.decode(quantised)
        with torch.autocast(faces.device.type, enabled=False):
            restored = restored.float()
            pixel = (restored - faces).abs().mean()
            perceptual = self._perceptual(restored, faces)
            nll = self._loss.pixel * pixel + self._loss.perceptual_weight * perceptual
            total = nll + self._loss.codebook * codebook_loss
        if step >= self._loss.adversarial_from:
            adversarial = -self.discriminator(restored).float().mean()
            weight = balance(nll, adversarial, self.network.decoder.last_layer) * self._loss.adversarial
            total = total + weight * adversarial
            log["balance"] = weight.item()
        log.update(pixel=pixel.item(), perceptual=perceptual.item(), codebook=codebook_loss.item())
        return total, restored, features

    def step_discriminator(self, faces: Tensor, restored: Tensor, step: int, log: dict[str, float]) -> None:
        """One update of the discriminator, once it is switched on."""
        if step < self._loss.adversarial_from:
            return
        self.discriminator_optim.zero_grad(set_to_none=True)
        loss = hinge(self.discriminator(faces).float(), self.discriminator(restored.detach()).float())
        loss.backward()  # type: ignore[no-untyped-call]
        self.discriminator_optim.step()
        log["discriminator"] = loss.item()

    def start_codebook(self) -> None:
        """Put the whole codebook onto features seen so far."""
        self.network.codebook.renew(torch.ones_like(self.used), self.samples)

    def renew_codebook(self, log: dict[str, float]) -> None:
        """Move codes that were not used since the last call onto features, and forget what was used."""
        log["used"] = float(self.used.sum())
        self.network.codebook.renew(~self.used, self.samples)
        self.used.zero_()
