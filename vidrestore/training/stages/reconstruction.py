"""Trains an autoencoder with its discriminator; stages one and two use it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vidrestore.daefr.blocks import to_tokens
from vidrestore.daefr.vqgan import Vqgan
from vidrestore.training.config import LossConfig, OptimConfig
from vidrestore.training.distributed import broadcast
from vidrestore.training.losses.picture_loss import PictureLoss


class Reconstruction:
    """A VQGAN with its losses and the usage of its codes (docs/daefr.md, "Stage 1")."""

    def __init__(
        self, network: Vqgan, loss: LossConfig, optim: OptimConfig, *, quantise_from: int = 0
    ) -> None:
        self.network = network
        self.picture = PictureLoss(network.config.image_size, loss, optim)
        self._codebook_weight = loss.codebook
        self._quantise_from = quantise_from
        self.usage = CodeUsage(network.config.codes, network.config.embedding)

    def loss(self, faces: Tensor, step: int, log: dict[str, float]) -> tuple[Tensor, Tensor, Tensor]:
        """The loss, the reconstruction, and the features before quantisation.

        Args:
            faces: (N, 3, S, S) in [-1, 1].
            step: The current step.
            log: Gets the single losses.
        """
        features = self.network.encode(faces)
        if step >= self._quantise_from:
            quantised, codebook_loss, codes = self.network.codebook(features.float())
            self.usage.used[codes.flatten()] = True
        else:
            quantised, codebook_loss = features, features.new_zeros(())
        self.usage.remember(to_tokens(features.detach()).flatten(0, 1).float())
        restored = self.network.decode(quantised).float()
        picture = self.picture.loss(restored, faces, self.network.decoder.last_layer, step, log)
        log["codebook"] = codebook_loss.item()
        return picture + self._codebook_weight * codebook_loss, restored, features

    def initialise_codebook(self) -> None:
        """Sets all codes to stored features."""
        self._reset_codes(torch.ones_like(self.usage.used))

    def reset_unused_codes(self, log: dict[str, float]) -> None:
        """Sets codes that were not used since the last call to stored features, and clears the usage."""
        log["used"] = float(self.usage.used.sum())
        self._reset_codes(~self.usage.used)
        self.usage.used.zero_()

    def _reset_codes(self, which: Tensor) -> None:
        self.network.codebook.reset_codes(which, self.usage.samples)
        broadcast([self.network.codebook.embedding.weight])  # each process has stored other features


def reconstruct(network: nn.Module, faces: Tensor) -> Tensor:
    """Faces (N, 3, S, S) after encoder, codebook and decoder."""
    assert isinstance(network, Vqgan)
    quantised, _, _ = network.codebook(network.encode(faces).float())
    return network.decode(quantised)


class CodeUsage(nn.Module):
    """Recently used codes and recent features. It is a module, so that checkpoints contain both."""

    used: Tensor
    """(codes,) bool."""
    seen: Tensor
    """Number of calls of `remember`, a scalar."""
    samples: Tensor
    """(M, embedding) a ring buffer of features before quantisation."""

    def __init__(self, codes: int, embedding: int, kept: int = 4096) -> None:
        super().__init__()
        self.register_buffer("used", torch.zeros(codes, dtype=torch.bool))
        self.register_buffer("samples", torch.zeros(kept, embedding))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    def remember(self, features: Tensor) -> None:
        """Stores features (N, embedding). The first ones are repeated until the ring buffer is full."""
        kept = self.samples.shape[0]
        if self.seen == 0:
            features = features.repeat(-(-kept // features.shape[0]), 1)
        features = features[-kept:]
        self.samples.copy_(torch.cat([self.samples[features.shape[0] :], features]))
        self.seen.add_(1)
