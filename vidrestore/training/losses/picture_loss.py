"""The loss of a restored picture: pixels, edges or LPIPS, and a discriminator."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.optim import Adam

from vidrestore.training.config import LossConfig, OptimConfig
from vidrestore.training.distributed import optimizer_step
from vidrestore.training.losses.detector_loss import DetectorLoss
from vidrestore.training.losses.discriminator import (
    activations,
    balance,
    feature_matching,
    hinge,
    make_discriminator,
)
from vidrestore.training.losses.loss_terms import (
    feature_weights,
    make_perceptual,
    pixel_loss,
    texture_loss,
)


class PictureLoss:
    """All losses of `LossConfig` except the codebook's, and the discriminator for them."""

    def __init__(self, image_size: int, loss: LossConfig, optim: OptimConfig) -> None:
        self.discriminator = make_discriminator(loss.discriminator_filters)
        self.discriminator_optim = Adam(
            self.discriminator.parameters(), optim.learning_rate, optim.betas, fused=True
        )
        self._loss = loss
        self._perceptual = make_perceptual(loss.perceptual)
        self._detector = DetectorLoss(loss.detector_weights) if loss.detector else None
        self._weights = feature_weights(image_size, loss.landmark_weight) if loss.landmark_weight else None

    def loss(
        self,
        restored: Tensor,
        truth: Tensor,
        last_layer: Tensor,
        step: int,
        log: dict[str, float],
    ) -> Tensor:
        """The loss, a scalar.

        Args:
            restored: (N, 3, S, S) in [-1, 1].
            truth: (N, 3, S, S) in [-1, 1].
            last_layer: As for `balance`.
            step: The current step.
            log: Gets the single losses.
        """
        with torch.autocast(truth.device.type, enabled=False):
            weights = self._weights.to(truth.device) if self._weights is not None else None
            total = self._distance(restored, truth, weights, log)
        if step < self._loss.adversarial_from:
            return total
        answer, seen = activations(self.discriminator, restored)
        adversarial = -answer.float().mean()
        weight = balance(total, adversarial, last_layer)
        log["balance"] = weight.item()
        total = total + self._loss.adversarial * weight * adversarial
        if self._loss.feature_matching:
            with torch.no_grad():
                _, wanted = activations(self.discriminator, truth)
            matching = feature_matching(seen, wanted).mean()
            log["matching"] = matching.item()
            total = total + self._loss.feature_matching * matching
        return total

    def _distance(
        self, restored: Tensor, truth: Tensor, weights: Tensor | None, log: dict[str, float]
    ) -> Tensor:
        """The losses without a discriminator; `weights` are weights of positions."""
        pixel = pixel_loss(restored, truth, weights)
        perceptual = self._perceptual(restored, truth, weights)
        log.update(pixel=pixel.item(), perceptual=perceptual.item())
        total = self._loss.pixel * pixel + self._loss.perceptual_weight * perceptual
        if self._loss.texture:
            texture = texture_loss(restored, truth)
            log["texture"] = texture.item()
            total = total + self._loss.texture * texture
        if self._detector is not None:
            seen = self._detector.to(truth.device)(restored.float(), truth).mean()
            log["detector"] = seen.item()
            total = total + self._loss.detector * seen
        return total

    def step_discriminator(
        self, pairs: Sequence[tuple[Tensor, Tensor]], step: int, log: dict[str, float]
    ) -> None:
        """Updates the discriminator, after its first step.

        Args:
            pairs: Pairs of true and restored faces, (N, 3, S, S) in [-1, 1].
            step: The current step.
            log: Gets the loss.
        """
        if step < self._loss.adversarial_from:
            return
        self.discriminator_optim.zero_grad(set_to_none=True)
        total = 0.0
        for truth, restored in pairs:
            loss = hinge(self.discriminator(truth).float(), self.discriminator(restored).float()) / len(pairs)
            loss.backward()
            total += loss.item()
        optimizer_step(self.discriminator_optim, self.discriminator.parameters())
        log["discriminator"] = total

    def error(self, restored: Tensor, truth: Tensor) -> float:
        """The losses without a discriminator, for validation."""
        pixel = pixel_loss(restored.float(), truth)
        perceptual = self._perceptual(restored.float(), truth, None)
        texture = texture_loss(restored.float(), truth)
        total = self._loss.pixel * pixel + self._loss.perceptual_weight * perceptual
        return (total + self._loss.texture * texture).item()
