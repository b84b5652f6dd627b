"""The loss of the evidence network, and the calibration of its predicted scale."""

from __future__ import annotations

import torch
from torch import Tensor

from vidrestore.evidence.network import Evidence, scales_of_bands
from vidrestore.evidence.pyramid import split_bands

CERTAIN_ERROR = 1.5 / 255
"""RMS error below which the loss hardly decreases; otherwise clean pictures would dominate."""
BAND_SHARE = 0.5
"""Weight of the errors of single bands, relative to the error of the whole picture."""


def evidence_loss(evidence: Evidence, truth: Tensor) -> tuple[Tensor, Tensor]:
    """The losses of the mean and of the scale.

    The loss of the mean is the logarithm of its squared error, for each picture and for each of its bands. So
    a decibel counts the same in a clean and in a ruined picture (compare the PSNR loss of NAFNet, Chen et al.
    2022). The loss of the scale is the negative log-likelihood of the error, with a Laplace distribution in
    each band.

    Args:
        evidence: The output of the network for pictures (N, 3, H, W).
        truth: The clean pictures, (N, 3, H, W) in 0..1.
    """
    error = evidence.mean - truth
    bands = split_bands(error)
    mean = _log_energy(error) + BAND_SHARE * torch.stack([_log_energy(band) for band in bands]).mean()
    scale = truth.new_zeros(())
    for band, predicted in zip(bands, scales_of_bands(evidence.scale), strict=True):
        scale = scale + (band.detach().abs() / predicted + (2 * predicted).log()).mean()
    return mean, scale / len(bands)


def _log_energy(error: Tensor) -> Tensor:
    """The mean logarithm of the mean squared error of pictures (N, 3, H, W), a scalar."""
    return (error.square().mean((1, 2, 3)) + CERTAIN_ERROR**2).log().mean()


def calibration(evidence: Evidence, clean: Tensor, parts: int = 10) -> list[list[float]]:
    """For each band and each decile of the predicted error: the true mean error divided by the predicted one.

    Args:
        evidence: The output of the network for pictures (N, 3, H, W).
        clean: The clean pictures, (N, 3, H, W) in 0..1.
        parts: Number of quantiles.
    """
    table = []
    errors = split_bands(evidence.mean - clean)
    for error, predicted in zip(errors, scales_of_bands(evidence.scale), strict=True):
        real = error.abs().mean(1).flatten()
        expected = predicted[:, 0].flatten()
        order = expected.argsort()
        deciles = order.tensor_split(min(parts, len(order)))
        table.append([(real[part].mean() / expected[part].mean()).item() for part in deciles])
    return table
