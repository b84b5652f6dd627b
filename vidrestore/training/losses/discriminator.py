"""PatchGAN discriminator and its losses (docs/daefr.md, "Stage 1"; Isola et al. 2017)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def make_discriminator(filters: int = 64, layers: int = 3) -> nn.Sequential:
    """A discriminator from faces (N, 3, S, S) to a score for each patch (N, 1, ~S/8, ~S/8).

    Args:
        filters: Channels of the first layer.
        layers: Number of layers that halve the size.
    """
    parts: list[nn.Module] = [nn.Conv2d(3, filters, 4, 2, 1), nn.LeakyReLU(0.2)]
    width = filters
    for i in range(1, layers + 1):
        wider = filters * min(2**i, 8)
        stride = 2 if i < layers else 1
        parts += [
            nn.Conv2d(width, wider, 4, stride, 1, bias=False),
            nn.BatchNorm2d(wider),
            nn.LeakyReLU(0.2),
        ]
        width = wider
    network = nn.Sequential(*parts, nn.Conv2d(width, 1, 4, 1, 1))
    network.apply(_initialise)
    return network


def activations(discriminator: nn.Sequential, faces: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The discriminator's scores, and the activations of its hidden layers."""
    seen = []
    x = faces
    for part in discriminator:
        x = part(x)
        if isinstance(part, nn.LeakyReLU):
            seen.append(x)
    return x, seen


def feature_matching(restored: list[Tensor], truth: list[Tensor]) -> Tensor:
    """(N,) the mean absolute difference of activations over all layers (Wang et al. 2018, pix2pixHD)."""
    pairs = zip(restored, truth, strict=True)
    return torch.stack([(r.float() - t.float()).abs().mean((1, 2, 3)) for r, t in pairs]).mean(0)


def hinge(real: Tensor, fake: Tensor) -> Tensor:
    """The loss of the discriminator, from its scores of real and of restored faces."""
    return 0.5 * (F.relu(1 - real).mean() + F.relu(1 + fake).mean())


def balance(nll: Tensor, adversarial: Tensor, last_layer: Tensor) -> Tensor:
    """The weight of the adversarial loss: λ = ‖∇ nll‖ / (‖∇ adversarial‖ + 1e-4), limited to 0..1e4.

    Args:
        nll: The reconstruction loss, a scalar.
        adversarial: The adversarial loss, a scalar.
        last_layer: The decoder's last convolution, for whose weights the gradients are computed.
    """
    (of_nll,) = torch.autograd.grad(nll, last_layer, retain_graph=True)
    (of_adversarial,) = torch.autograd.grad(adversarial, last_layer, retain_graph=True)
    return (of_nll.norm() / (of_adversarial.norm() + 1e-4)).clamp(0, 1e4).detach()


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)
