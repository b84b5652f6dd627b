"""The evidence network: estimates the clean picture, and the size of that estimate's error.

A fully convolutional U-Net on blocks of 2 x 2 pixels. It has no normalisation and no attention, so it
computes pictures of any size in the same way. It estimates a mean for each pixel, as a change of its input,
and the scale of a Laplace distribution of the error for each band of a Laplacian pyramid.

Letters in shapes: N pictures, H x W pixels, K bands.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidrestore.errors import shown
from vidrestore.evidence.pyramid import BANDS, upsample
from vidrestore.runtime.pixel_blocks import shuffle, unshuffle

BLOCK = 2
"""Pixels a side of the blocks that the network works on."""
SMALLEST_SCALE, LARGEST_SCALE = 2e-5, 1.0
"""Limits of the predicted scale; pictures are in 0..1."""
GATE_START = 2.0
"""Logit of the gate before training: the output is mostly the input."""
_USUAL_LOG_SCALE = -4.5
"""About 3 codes of 255."""
_MAX_LEVELS, _MAX_BLOCKS, _MAX_WIDTH = 12, 64, 8192
"""Limits of a configuration: larger than any real network, and small enough to build. A configuration may
come from a damaged or foreign file."""
SCALE_GRADIENT = 0.1
"""Share of the scale's gradient that reaches the layers it has in common with the mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceConfig:
    """The shape of an evidence network; stored in the header of its weights."""

    widths: tuple[int, ...] = (32, 64, 96, 128)
    """Channels of each level, finest first; each level halves the resolution of the one before."""
    blocks: tuple[int, ...] = (1, 1, 2, 3)
    """Residual blocks of each level, on the way down; all but the last level have as many on the way up."""
    head_width: int = 24
    """Channels of the layers that predict the scale."""
    refines: bool = False
    """Whether the network refines an estimate of the same pictures at half their size."""

    def __post_init__(self) -> None:
        given: dict[str, Any] = asdict(self)
        for name, most in (("widths", _MAX_WIDTH), ("blocks", _MAX_BLOCKS), ("head_width", _MAX_WIDTH)):
            numbers = given[name] if name != "head_width" else (given[name],)
            fits = type(numbers) is tuple and 1 <= len(numbers) <= _MAX_LEVELS
            if not fits or not all(type(number) is int and 1 <= number <= most for number in numbers):
                raise ValueError(f"{name} cannot be {shown(given[name])}")
        if type(self.refines) is not bool:
            raise ValueError(f"refines cannot be {shown(self.refines)}")
        if len(self.widths) != len(self.blocks) or len(self.widths) < 2:
            raise ValueError("there must be as many widths as blocks, two or more")

    def to_dict(self) -> dict[str, Any]:
        """The configuration as JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> EvidenceConfig:
        """The configuration from what `to_dict` returned. Raises TypeError or ValueError for other values."""
        fitting: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        return cls(**fitting)

    @property
    def multiple(self) -> int:
        """Sides of pictures must be multiples of this many pixels."""
        return int(BLOCK * 2 ** (len(self.widths) - 1))


@dataclass(frozen=True, slots=True)
class Evidence:
    """The network's output for N pictures."""

    mean: Tensor
    """(N, 3, H, W) float32 RGB in 0..1, not clipped: the estimate of the clean picture."""
    scale: Tensor
    """(N, K, H / 2, W / 2) float32: the Laplace scale of the mean's error in each band, finest first, in the
    mean's units."""


class EvidenceNetwork(nn.Module):
    """Degraded pictures (N, 3, H, W) RGB in 0..1 -> `Evidence`; H and W are multiples of 16.

    A network that refines is given the `Evidence` of the same pictures at half their size, too.
    """

    def __init__(self, config: EvidenceConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or EvidenceConfig()
        widths = config.widths
        self.enter = nn.Conv2d(3 * BLOCK**2, widths[0], 3, padding=1)
        if config.refines:
            self.enter_half = nn.Conv2d(3 + BANDS, widths[0], 3, padding=1)
        self.encoder = nn.ModuleList(
            _residual_blocks(width, count) for width, count in zip(widths, config.blocks, strict=True)
        )
        self.down = nn.ModuleList(nn.Conv2d(fine, coarse, 2, stride=2) for fine, coarse in pairwise(widths))
        self.up = nn.ModuleList(nn.Conv2d(coarse, fine, 1) for fine, coarse in pairwise(widths))
        self.decoder = nn.ModuleList(
            _residual_blocks(width, count) for width, count in zip(widths[:-1], config.blocks, strict=False)
        )
        self.change = nn.Conv2d(widths[0], 3 * BLOCK**2, 3, padding=1)
        self.direct = nn.Conv2d(widths[0], 3 * BLOCK**2, 3, padding=1)
        self.gate = nn.Conv2d(widths[0], 3 * BLOCK**2, 3, padding=1)
        self.coarse_features = nn.Conv2d(widths[1], config.head_width, 1)
        self.scale = nn.Sequential(
            nn.Conv2d(widths[0] + config.head_width, config.head_width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(config.head_width, BANDS, 3, padding=1),
        )
        _initialise(self)

    def forward(self, pictures: Tensor, half: Evidence | None = None) -> Evidence:
        assert self.config.refines == (half is not None)
        blocks, precision = unshuffle(pictures.float(), BLOCK), self.change.weight.dtype
        entered = self.enter((blocks - 0.5).to(precision))
        known = None if half is None else _known_log_scale(half.scale)
        if half is not None and known is not None:
            given = torch.cat([half.mean - 0.5, (known - _USUAL_LOG_SCALE) / 2], dim=1)
            entered = entered + self.enter_half(given.to(precision))
        fine, coarse = self._features(entered)
        base = _local_mean(blocks) if half is None else _in_blocks(upsample(half.mean))
        mean = shuffle(self._mean(blocks, base, fine), BLOCK)
        fine, coarse = _limit_gradient(fine, SCALE_GRADIENT), _limit_gradient(coarse, SCALE_GRADIENT)
        enlarged = F.interpolate(self.coarse_features(coarse), scale_factor=2, mode="nearest")
        log_scale = self._log_scale(torch.cat([fine, enlarged], dim=1))
        if known is not None:  # band k is band k - 1 of half the size
            log_scale = log_scale + torch.cat([known[:, :1], known[:, :-1]], dim=1)
        return Evidence(mean, log_scale.exp().clamp(SMALLEST_SCALE, LARGEST_SCALE))

    def set_precision(self, precision: torch.dtype) -> None:
        """Sets the number format of the convolutions.

        The bias of the scale stays as exact as it is: bfloat16 would round all scales of a band by up to 2 %
        in the same direction, and the fusion rule depends on high powers of them.

        Args:
            precision: A floating-point type.
        """
        last = self._last_of_scale()
        assert last.bias is not None
        bias = last.bias.detach().clone()
        self.to(precision)
        last.bias = nn.Parameter(bias)

    def _log_scale(self, features: Tensor) -> Tensor:
        """(N, K, H / 2, W / 2) float32: the logarithm of the scale."""
        last = self._last_of_scale()
        assert last.bias is not None
        hidden = self.scale[1](self.scale[0](features))
        return F.conv2d(hidden, last.weight, padding=1).float() + last.bias.float().view(1, -1, 1, 1)

    def _last_of_scale(self) -> nn.Conv2d:
        last = self.scale[-1]
        assert isinstance(last, nn.Conv2d)
        return last

    def _mean(self, blocks: Tensor, base: Tensor, fine: Tensor) -> Tensor:
        """The mean in blocks (N, 12, H / 2, W / 2): the corrected input mixed with a new picture.

        The new picture is a change of `base`, (N, 3, 4, H / 2, W / 2) or (N, 3, 1, H / 2, W / 2).

        To keep a clean pixel, the network only opens a gate. To remove noise, it computes the pixel from
        features, and does not have to predict the noise.
        """
        change, new, gate = self._heads(fine)
        direct = (base + new.unflatten(1, (3, BLOCK**2))).flatten(1, 2)
        return direct + gate.sigmoid() * (blocks + change - direct)

    def _heads(self, fine: Tensor) -> tuple[Tensor, ...]:
        """The outputs of `change`, `direct` and `gate`, float32, by one convolution, which is faster."""
        heads = (self.change, self.direct, self.gate)
        weight = torch.cat([head.weight for head in heads])
        bias = torch.cat([head.bias for head in heads if head.bias is not None])
        return F.conv2d(fine, weight, bias, padding=1).float().chunk(len(heads), 1)

    def _features(self, entered: Tensor) -> tuple[Tensor, Tensor]:
        """The features of the two finest levels: (N, C, H / 2, W / 2) and (N, C', H / 4, W / 4)."""
        x = entered
        skips = []
        for encode, down in zip(self.encoder, self.down, strict=False):
            skips.append(encode(x))
            x = down(skips[-1])
        x = self.encoder[-1](x)
        coarse = x
        for skip, up, decode in zip(reversed(skips), reversed(self.up), reversed(self.decoder), strict=True):
            coarse = x
            x = decode(F.interpolate(up(x), scale_factor=2, mode="nearest") + skip)
        return x, coarse


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions, added to their input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.relu(self.first(x), inplace=True))


def scales_of_bands(scale: Tensor) -> list[Tensor]:
    """The predicted scale of each band at that band's own resolution.

    Args:
        scale: (N, K, H / 2, W / 2), as in `Evidence`.

    Returns:
        K tensors; that of band k is (N, 1, H / 2**k, W / 2**k).
    """
    if scale.device.type == "cpu":
        scale = scale.contiguous()  # pooling of one channel in channels-last order takes twice as long
    finest = F.interpolate(scale[:, :1], scale_factor=2, mode="bilinear", align_corners=False)
    coarser = [F.avg_pool2d(scale[:, k : k + 1], 2 ** (k - 1)) for k in range(1, scale.shape[1])]
    return [finest, *coarser]


def _in_blocks(pictures: Tensor) -> Tensor:
    """Pictures (N, 3, H, W) in blocks: (N, 3, 4, H / 2, W / 2)."""
    return unshuffle(pictures, BLOCK).unflatten(1, (3, BLOCK**2))


def _local_mean(blocks: Tensor) -> Tensor:
    """(N, 3, 1, H / 2, W / 2) the mean of the blocks (N, 12, H / 2, W / 2) around each."""
    local = blocks.unflatten(1, (3, BLOCK**2)).mean(2)
    return F.avg_pool2d(local, 3, stride=1, padding=1, count_include_pad=False).unsqueeze(2)


def _known_log_scale(scale: Tensor) -> Tensor:
    """(N, K, H / 2, W / 2) the logarithm of the scale at half the size, (N, K, H / 4, W / 4)."""
    return upsample(scale.clamp(SMALLEST_SCALE, LARGEST_SCALE).log())


def _residual_blocks(width: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(ResidualBlock(width) for _ in range(count)))


def _limit_gradient(features: Tensor, share: float) -> Tensor:
    """The same features; only the given share of the gradient flows back through them."""
    return features.detach() + share * (features - features.detach()) if features.requires_grad else features


def _initialise(network: EvidenceNetwork) -> None:
    """Set initial weights: residual blocks are the identity, changes zero, scales about 3 codes of 255."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            assert module.bias is not None
            nn.init.zeros_(module.bias)
    for module in network.modules():
        if isinstance(module, ResidualBlock):
            nn.init.zeros_(module.second.weight)
    for head in (network.change, network.direct, network.gate):
        nn.init.zeros_(head.weight)
    if network.config.refines:
        nn.init.zeros_(network.enter_half.weight)
    assert network.gate.bias is not None
    nn.init.constant_(network.gate.bias, GATE_START)
    last = network._last_of_scale()
    assert last.bias is not None
    nn.init.normal_(last.weight, std=0.01)
    nn.init.constant_(last.bias, 0.0 if network.config.refines else _USUAL_LOG_SCALE)
