"""Encoder and decoder of the VQGAN (docs/daefr.md, "Encoder", "Decoder")."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

from torch import Tensor, nn

from vidrestore.daefr.blocks import Downsample, Level, Middle, Upsample, group_norm, swish
from vidrestore.daefr.config import DaefrConfig
from vidrestore.runtime.pixel_blocks import shuffle, unshuffle

NO_SKIPS: Mapping[int, Callable[[Tensor], Tensor]] = MappingProxyType({})


class Encoder(nn.Module):
    """From faces (N, 3, S, S) in [-1, 1] to features (N, embedding, L, L) before `quant_conv`."""

    def __init__(self, config: DaefrConfig) -> None:
        super().__init__()
        widths, groups = config.encoder_widths, config.groups
        self.stem = config.encoder_stem
        self.conv_in = nn.Conv2d(3 * self.stem**2, widths[0], 3, padding=1)
        self.down = nn.ModuleList()
        for i, width in enumerate(widths):
            last = i == len(widths) - 1
            level = Level(
                widths[max(i - 1, 0)],
                width,
                blocks=config.encoder_blocks,
                groups=groups,
                attention=last and config.level_attention,
            )
            if not last:
                level.downsample = Downsample(width)
            self.down.append(level)
        self.mid = Middle(widths[-1], groups)
        self.norm_out = group_norm(widths[-1], groups)
        self.conv_out = nn.Conv2d(widths[-1], config.embedding, 3, padding=1)

    def forward(self, faces: Tensor) -> Tensor:
        return self.with_levels(faces, ())[0]

    def with_levels(self, faces: Tensor, sides: Collection[int]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The features, and those of the levels with these sides, finest first.

        For a side finer than the finest level, it is the picture itself after pixel-unshuffle to that grid.
        """
        size = faces.shape[-1]
        finest = size // self.stem
        kept = [unshuffle(faces, size // side) for side in sorted(sides, reverse=True) if side > finest]
        h = self.conv_in(unshuffle(faces, self.stem) if self.stem > 1 else faces)
        for level in self.down:
            assert isinstance(level, Level)
            h = level.refine(h)
            if h.shape[-1] in sides:
                kept.append(h)
            h = level.resample(h)
        h = self.mid(h)
        return self.conv_out(swish(self.norm_out(h))), tuple(kept)


class Decoder(nn.Module):
    """From features (N, embedding, L, L) after `post_quant_conv` to faces (N, 3, S, S), not clipped."""

    def __init__(self, config: DaefrConfig) -> None:
        super().__init__()
        widths, groups = config.decoder_widths, config.groups
        self.stem = config.decoder_stem
        self.conv_in = nn.Conv2d(config.embedding, widths[-1], 3, padding=1)
        self.mid = Middle(widths[-1], groups)
        self.up = nn.ModuleList()  # up[0] is the finest level, as in the authors' key names
        for i, width in enumerate(widths):
            coarsest = i == len(widths) - 1
            level = Level(
                width if coarsest else widths[i + 1],
                width,
                blocks=config.decoder_blocks,
                groups=groups,
                attention=coarsest and config.level_attention,
            )
            if i > 0:
                level.upsample = Upsample(width)
            self.up.append(level)
        self.norm_out = group_norm(widths[0], groups)
        self.conv_out = nn.Conv2d(widths[0], 3 * self.stem**2, 3, padding=1)

    @property
    def last_layer(self) -> Tensor:
        """The weight for which the adversarial loss is balanced (docs/daefr.md, "Stage 1")."""
        return self.conv_out.weight

    def forward(self, features: Tensor, skips: Mapping[int, Callable[[Tensor], Tensor]] = NO_SKIPS) -> Tensor:
        """The faces. `skips`: functions that change the features of a level, by the side of its grid."""
        h = self.in_blocks(features, skips)
        return shuffle(h, self.stem) if self.stem > 1 else h

    def in_blocks(self, features: Tensor, skips: Mapping[int, Callable[[Tensor], Tensor]]) -> Tensor:
        """The faces before pixel-shuffle, (N, 3 stem², S / stem, S / stem)."""
        h = self.mid(self.conv_in(features))
        for level in reversed(self.up):
            assert isinstance(level, Level)
            h = level.refine(h)
            if h.shape[-1] in skips:
                h = skips[h.shape[-1]](h)
            h = level.resample(h)
        return self.conv_out(swish(self.norm_out(h)))
