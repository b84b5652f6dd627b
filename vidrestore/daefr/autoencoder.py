"""Encoder and decoder of the VQGAN (docs/daefr.md, "Encoder", "Decoder")."""

from __future__ import annotations

from torch import Tensor, nn

from vidrestore.daefr.blocks import Downsample, Level, Middle, Upsample, group_norm, swish
from vidrestore.daefr.config import DaefrConfig
from vidrestore.runtime.pixel_blocks import shuffle, unshuffle


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
        h = self.conv_in(unshuffle(faces, self.stem) if self.stem > 1 else faces)
        for level in self.down:
            h = level(h)
        h = self.mid(h)
        return self.conv_out(swish(self.norm_out(h)))


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

    def forward(self, features: Tensor) -> Tensor:
        h = self.features_of_level(features, 0)
        blocks = self.conv_out(swish(self.norm_out(h)))
        return shuffle(blocks, self.stem) if self.stem > 1 else blocks

    def features_of_level(self, features: Tensor, index: int) -> Tensor:
        """(N, C, H, W) the features of a level, of which 0 is the finest."""
        h = self.mid(self.conv_in(features))
        for i, level in reversed(list(enumerate(self.up))):
            assert isinstance(level, Level)
            h = level.refine(h)
            if i == index:
                break
            h = level.resample(h)
        return h
