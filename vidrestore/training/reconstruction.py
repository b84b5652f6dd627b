"""Training one autoencoder against its discriminator: what stages one and two have in common."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim import Adam

from vidrestore.daefr.blocks import to_tokens
from vidrestore.daefr.vqgan import Vqgan
from vidrestore.training.config import LossConfig, OptimConfig
from vidrestore.training.discriminator import (
    activations,
    balance,
    feature_matching,
    hinge,
    make_discriminator,
)
from vidrestore.training.losses import feature_weights, make_perceptual, pixel_loss


class Reconstruction:
    """A VQGAN, its discriminator, their losses and optimisers (specification, "Stage 1")."""

    def __init__(
        self, network: Vqgan, loss: LossConfig, optim: OptimConfig, *, quantise_from: int = 0
    ) -> None:
        self.network = network
        self.discriminator = make_discriminator(loss.discriminator_filters)
        self._loss = loss
        self._perceptual = make_perceptual(loss.perceptual)
        self._weights = feature_weights(network.config.image_size, loss.features) if loss.features else None
        self._quantise_from = quantise_from
        self.usage = CodeUsage(network.config.codes, network.config.embedding)
        self.discriminator_optim = Adam(
            self.discriminator.parameters(), optim.learning_rate, optim.betas, fused=True
        )

    def loss(self, faces: Tensor, step: int, log: dict[str, float]) -> tuple[Tensor, Tensor, Tensor]:
        """The autoencoder's loss, its reconstruction, and its features before quantisation."""
        features = self.network.encode(faces)
        if step >= self._quantise_from:
            quantised, codebook_loss, codes = self.network.codebook(features.float())
            self.usage.used[codes.flatten()] = True
        else:
            quantised, codebook_loss = features, features.new_zeros(())
        self.usage.remember(to_tokens(features.detach()).flatten(0, 1).float())
        restored = self.network.decode(quantised)
        with torch.autocast(faces.device.type, enabled=False):
            restored = restored.float()
            weights = self._weights.to(faces.device) if self._weights is not None else None
            pixel = pixel_loss(restored, faces, weights)
            perceptual = self._perceptual(restored, faces, weights)
            nll = self._loss.pixel * pixel + self._loss.perceptual_weight * perceptual
        total = nll + self._loss.codebook * codebook_loss
        if step >= self._loss.adversarial_from:
            total = total + self._adversarial(faces, restored, nll, log)
        log.update(pixel=pixel.item(), perceptual=perceptual.item(), codebook=codebook_loss.item())
        return total, restored, features

    def _adversarial(self, faces: Tensor, restored: Tensor, nll: Tensor, log: dict[str, float]) -> Tensor:
        answer, seen = activations(self.discriminator, restored)
        adversarial = -answer.float().mean()
        weight = balance(nll, adversarial, self.network.decoder.last_layer)
        log["balance"] = weight.item()
        total = self._loss.adversarial * weight * adversarial
        if self._loss.feature_matching:
            with torch.no_grad():
                _, truth = activations(self.discriminator, faces)
            matching = feature_matching(seen, truth)
            log["matching"] = matching.item()
            total = total + self._loss.feature_matching * matching
        return total

    def step_discriminator(self, faces: Tensor, restored: Tensor, step: int, log: dict[str, float]) -> None:
        """One update of the discriminator, once it is switched on."""
        if step < self._loss.adversarial_from:
            return
        self.discriminator_optim.zero_grad(set_to_none=True)
        loss = hinge(self.discriminator(faces).float(), self.discriminator(restored.detach()).float())
        loss.backward()
        self.discriminator_optim.step()
        log["discriminator"] = loss.item()

    def start_codebook(self) -> None:
        """Put the whole codebook onto features seen so far."""
        self.network.codebook.renew(torch.ones_like(self.usage.used), self.usage.samples)

    def renew_codebook(self, log: dict[str, float]) -> None:
        """Move codes that were not used since the last call onto features, and forget what was used."""
        log["used"] = float(self.usage.used.sum())
        self.network.codebook.renew(~self.usage.used, self.usage.samples)
        self.usage.used.zero_()


class CodeUsage(nn.Module):
    """Which codes were used lately, and features seen lately; a module, so that checkpoints hold both."""

    used: Tensor
    """(codes,) bool."""
    seen: Tensor
    """() how often features were remembered."""
    samples: Tensor
    """(M, embedding): a ring of features before quantisation."""

    def __init__(self, codes: int, embedding: int, kept: int = 4096) -> None:
        super().__init__()
        self.register_buffer("used", torch.zeros(codes, dtype=torch.bool))
        self.register_buffer("samples", torch.zeros(kept, embedding))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    def remember(self, features: Tensor) -> None:
        """Keep features (N, embedding); until the ring is full the first ones fill it by repetition."""
        kept = self.samples.shape[0]
        if self.seen == 0:
            features = features.repeat(-(-kept // features.shape[0]), 1)
        features = features[-kept:]
        self.samples.copy_(torch.cat([self.samples[features.shape[0] :], features]))
        self.seen.add_(1)
