"""How unlikely an error is by the scale that was predicted for it, and how well errors follow their scales.

The loss is the negative log-likelihood of a Laplace distribution in each band of a Laplacian pyramid of the
error.
"""

from __future__ import annotations

from torch import Tensor

from vidrestore.evidence.network import Evidence, scales_of_bands
from vidrestore.evidence.pyramid import split_bands

CERTAIN_ERROR = 3 / 255
"""Added to the scale that an error is divided by: clean pictures would outweigh all others."""
FIRST_SCALE = 0.03
"""What errors are divided by before the scales are learned."""


def evidence_loss(evidence: Evidence, truth: Tensor, *, with_likelihood: bool) -> tuple[Tensor, Tensor]:
    """The losses of the mean and of the scale.

    Args:
        evidence: what the network says of pictures (N, 3, H, W).
        truth: the clean pictures, (N, 3, H, W) in 0..1.
        with_likelihood: divide errors of the mean by their predicted scale; else by `FIRST_SCALE`.
    """
    errors = [band.abs() for band in split_bands(evidence.mean - truth)]
    scales = scales_of_bands(evidence.scale)
    mean = truth.new_zeros(())
    scale = truth.new_zeros(())
    for error, predicted in zip(errors, scales, strict=True):
        divisor = predicted.detach() + CERTAIN_ERROR if with_likelihood else FIRST_SCALE
        mean = mean + (error / divisor).mean()
        scale = scale + (error.detach() / predicted + (2 * predicted).log()).mean()
    return mean / len(errors), scale / len(errors)


def calibration(evidence: Evidence, clean: Tensor, parts: int = 10) -> list[list[float]]:
    """For each band, the real over the predicted mean absolute error in each decile of the predicted one."""
    table = []
    errors = split_bands(evidence.mean - clean)
    for error, predicted in zip(errors, scales_of_bands(evidence.scale), strict=True):
        real = error.abs().mean(1).flatten()
        expected = predicted[:, 0].flatten()
        order = expected.argsort()
        deciles = order.tensor_split(min(parts, len(order)))
        table.append([(real[part].mean() / expected[part].mean()).item() for part in deciles])
    return table
