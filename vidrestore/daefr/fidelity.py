"""Controllable skips from the degraded face into the decoder: what the codes cannot say, the picture can.

The controllable feature transformation of CodeFormer (Zhou et al. 2022, section 3.3): the decoder's features
F_d become F_d + w (α ⊙ F_d + β), where α and β are computed from F_d and the encoder's features of the same
resolution. At w = 0 the network is plain DAEFR. A
last skip, this project's own, does the same to the finished picture: a face that needs little keeps its own
pixels, which no decoder of a 16th of the resolution could draw again.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidrestore.daefr.blocks import DoubledConv2d, ResidualBlock, plus, swish

L = TypeVar("L", nn.Conv2d, nn.Linear)
HALVINGS = 5
SPECTRUM = 3 * (4 * HALVINGS - 1)
"""Numbers of `detail_spectrum`."""


class FeatureTransform(nn.Module):
    """One level's skip; a fresh one changes nothing, whatever the weight."""

    def __init__(self, encoded: int, decoded: int, groups: int) -> None:
        """`encoded`, `decoded`: channels of the encoder's and of the decoder's features."""
        super().__init__()
        self.enter = nn.Conv2d(encoded, decoded, 1)
        self.merge = ResidualBlock(2 * decoded, decoded, groups)
        self.scale = _two_convolutions(decoded)
        self.shift = _two_convolutions(decoded)

    def forward(self, decoded: Tensor, encoded: Tensor, weight: float | Tensor) -> Tensor:
        """decoded (N, C, H, W), encoded (N, E, H, W), weight 0..1 -> (N, C, H, W)."""
        merged = self.merge(torch.cat([self.enter(encoded), decoded], dim=1))
        return decoded + weight * (decoded * self.scale(merged) + self.shift(merged))


class PictureTransform(nn.Module):
    """The skip at the picture itself: a small U-Net that sees the restored and the degraded face.

    It works on blocks of 2 x 2 pixels at four sizes and gives two pictures. One is drawn: the degraded face's
    detail where there is some, what belongs there where there is none. The other is the degraded face mended,
    nothing drawn, for no network draws a pixel again as well as leaving it: that one is for faces which lost
    little, by the verdict on their `detail_spectrum`. No normalisation: brightness is to stay.
    """

    STRIDE = 2
    WIDER = (1, 2, 3, 3)
    """Channels of each size over those of the finest, which comes first."""
    KEPT = ("mend", "verdict")
    """The parts that see to what stays of the degraded face."""
    SURE, STEEP = 0.5, 3.0
    """Log odds that little was lost at which half of a face may stay, and how fast that goes over to all."""
    LEAST_KEPT = 1 / 256
    """Share of a degraded face that is no code's difference and is left out: to mend it takes a quarter of
    the decoder's time."""

    def __init__(self, width: int) -> None:
        """`width`: channels of the finest size."""
        super().__init__()
        block = 3 * self.STRIDE**2
        widths = tuple(width * factor for factor in self.WIDER)
        self.enter = nn.Conv2d(2 * block, width, 3, padding=1)
        # The coarsest has two: there it sees a whole eye or mouth at next to no cost.
        self.before = nn.ModuleList(
            [*map(_Refine, widths[:-1]), nn.Sequential(_Refine(widths[-1]), _Refine(widths[-1]))]
        )
        self.down = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(widths))
        self.up = nn.ModuleList(DoubledConv2d(b, a) for a, b in pairwise(widths))
        self.after = nn.ModuleList(map(_Refine, widths[:-1]))
        self.leave = _silent(nn.Conv2d(width, block, 3, padding=1))
        self.mend = nn.Sequential(
            nn.Conv2d(width + block, width, 3, padding=1),
            *(_Refine(width) for _ in range(3)),
            _silent(nn.Conv2d(width, block, 3, padding=1)),
        )
        last = _silent(nn.Linear(32, 1))
        nn.init.constant_(last.bias, -2.0)  # much is lost, until it has learned better
        self.verdict = nn.Sequential(nn.Linear(SPECTRUM, 32), nn.SiLU(), last)

    def forward(
        self,
        restored: Tensor,
        degraded: Tensor,
        weight: float | Tensor,
        keep_weight: Tensor | None = None,
    ) -> Tensor:
        """Pictures (N, 3, S, S) in [-1, 1], weight 0..1 -> (N, 3, S, S).

        Up to 0.5 the weight brings detail in, from there to 1 the degraded face itself. A fresh one hardly
        changes what is restored. On a processor, what no face of the batch asks for is not computed.
        `keep_weight`: what that method says, where it is known.
        """
        return self._picture(
            self.in_blocks(self._blocks(restored), self._blocks(degraded), weight, keep_weight)
        )

    def in_blocks(
        self,
        restored: Tensor,
        degraded: Tensor,
        weight: float | Tensor,
        keep_weight: Tensor | None = None,
    ) -> Tensor:
        """The same of pictures unshuffled into blocks of 2 x 2 pixels, (N, 12, S / 2, S / 2) each."""
        share = torch.as_tensor(weight, dtype=restored.dtype, device=restored.device)
        detail, kept = (2 * share).clamp(max=1), (2 * share - 1).clamp(min=0)
        if _is_none(detail):
            return restored
        seen = self._seen(restored, degraded)
        drawn = restored + self.leave(seen)
        result = restored + detail * (drawn - restored)
        if _is_none(kept):
            return result
        if keep_weight is None:
            keep_weight = self.keep_weight(self._picture(degraded))
        kept = kept * keep_weight.to(restored.dtype)
        # For each face by itself, so that it does not depend on the others of its batch.
        kept = kept.where(kept > self.LEAST_KEPT, 0)
        if _is_none(kept):
            return result
        return result + kept * (self._mended(degraded, seen) - drawn)

    def quality_logit(self, degraded: Tensor) -> Tensor:
        """(N, 1, 1, 1) float32: log odds that next to nothing is wrong with a face."""
        with torch.autocast(degraded.device.type, enabled=False):
            spectrum = detail_spectrum(degraded.float())
            return self.verdict(spectrum.to(next(self.verdict.parameters()).dtype)).float()[..., None, None]

    def keep_weight(self, degraded: Tensor) -> Tensor:
        """(N, 1, 1, 1) 0..1: how much of each of the degraded faces (N, 3, S, S) may stay."""
        return self.keep_weight_from_logit(self.quality_logit(degraded))

    def keep_weight_from_logit(self, quality_logit: Tensor) -> Tensor:
        """0..1: how much of a face may stay, by the log odds that it lost little."""
        return (self.STEEP * (quality_logit - self.SURE)).sigmoid()

    def parts(self, restored: Tensor, degraded: Tensor) -> tuple[Tensor, Tensor]:
        """The restored face with detail, and the degraded one mended: pictures of two pictures."""
        restored, degraded = self._blocks(restored), self._blocks(degraded)
        seen = self._seen(restored, degraded)
        return self._picture(restored + self.leave(seen)), self._picture(self._mended(degraded, seen))

    def _seen(self, restored: Tensor, degraded: Tensor) -> Tensor:
        """What the U-Net makes of both, (N, width, S / 2, S / 2)."""
        x = self.enter(torch.cat([restored, degraded], dim=1))
        levels = []
        for before, down in zip(self.before, self.down, strict=False):
            levels.append(before(x))
            x = down(levels[-1])
        x = self.before[-1](x)
        for level, up, after in zip(reversed(levels), reversed(self.up), reversed(self.after), strict=True):
            x = after(plus(up(x), level))
        return x

    def _mended(self, degraded: Tensor, seen: Tensor) -> Tensor:
        return degraded + self.mend(torch.cat([seen, degraded], dim=1))

    def _blocks(self, picture: Tensor) -> Tensor:
        return F.pixel_unshuffle(picture, self.STRIDE)

    def _picture(self, blocks: Tensor) -> Tensor:
        return F.pixel_shuffle(blocks, self.STRIDE)


def detail_spectrum(pictures: Tensor) -> Tensor:
    """(N, SPECTRUM): how much detail of each size pictures (N, 3, S, S) in [-1, 1] hold, grain included.

    Of brightness and two colour differences, at five halvings, logarithms of the mean square and the squared
    mean size of what a halving takes away; and how each differs from the next, which no contrast changes.
    """
    red, green, blue = pictures.unbind(1)
    brightness = 0.299 * red + 0.587 * green + 0.114 * blue
    x = torch.stack([brightness, blue - brightness, red - brightness], dim=1)
    rows = []
    for _ in range(HALVINGS):
        blocks = F.pixel_unshuffle(x, 2).unflatten(1, (3, 4))
        x = blocks.mean(2)
        lost = blocks - x[:, :, None]
        rows.append((lost.square().mean((2, 3, 4)) + 1e-7).log())
        rows.append(2 * (lost.abs().mean((2, 3, 4)) + 3e-4).log())
    levels = torch.stack(rows, dim=1)  # (N, 2 halvings, 3)
    # Of mean and spread that a linear layer learns from at the pace of convolutions.
    return 4 * torch.cat([levels.diff(dim=1), levels + 8], dim=1).flatten(1)


def _is_none(share: Tensor) -> bool:
    """Whether all are known to be 0. A GPU is not asked: it would have to finish its work to answer."""
    return share.device.type == "cpu" and not share.any()


class _Refine(nn.Module):
    """Two convolutions beside what they are given."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return plus(self.second(swish(self.first(x))), x)


def _two_convolutions(channels: int) -> nn.Sequential:
    last = _silent(nn.Conv2d(channels, channels, 3, padding=1))
    return nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.LeakyReLU(0.2), last)


def _silent(last: L) -> L:
    """The layer made to give nothing before it is trained."""
    nn.init.zeros_(last.weight)
    assert last.bias is not None
    nn.init.zeros_(last.bias)
    return last
