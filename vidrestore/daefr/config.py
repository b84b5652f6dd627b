"""The configuration of a DAEFR network. A network is a configuration and weights."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from vidrestore.errors import shown

_MAX_LEVELS, _MAX_REPEATS, _MAX_WIDTH = 12, 64, 8192
"""Limit of all values: larger than in any network, but small enough to build. Files may be untrusted."""
_REPEATS = frozenset({"encoder_blocks", "decoder_blocks", "layers"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DaefrConfig:
    """Widths and depths of every part. The defaults are the published network (docs/daefr.md, "Network")."""

    name: str = "published"
    image_size: int = 512
    """Side of the square face [px]."""
    encoder_widths: tuple[int, ...] = (64, 128, 128, 256, 256, 512)
    """Channels of each level, finest first; the coarsest is the latent grid."""
    encoder_stem: int = 1
    """Pixel-unshuffle factor before the first convolution."""
    encoder_blocks: int = 2
    decoder_widths: tuple[int, ...] = (64, 128, 128, 256, 256, 512)
    decoder_stem: int = 1
    """Pixel-shuffle factor after the last convolution."""
    decoder_blocks: int = 3
    level_attention: bool = True
    """Self-attention after each block of the coarsest level; the middle always has it."""
    groups: int = 32
    embedding: int = 256
    codes: int = 1024
    fusion_heads: int = 8
    width: int = 512
    """Length of the tokens of the code transformer."""
    layers: int = 9
    heads: int = 8
    feedforward: int = 1024
    detail_width: int = 0
    """Channels of the finest scale of the detail head, which draws from the input too; 0: none."""

    def __post_init__(self) -> None:
        self._check_values()
        for side, widths, stem in (
            ("encoder", self.encoder_widths, self.encoder_stem),
            ("decoder", self.decoder_widths, self.decoder_stem),
        ):
            shrink = stem * 2 ** (len(widths) - 1)
            if self.image_size % shrink or self.image_size // shrink != self.latent_size:
                raise ValueError(f"the {side}'s levels do not end at the latent grid {self.latent_size}")
            if any(width % self.groups for width in widths):
                raise ValueError(f"{side} widths {widths} must divide by {self.groups} groups")
        if self.embedding % self.groups or self.embedding % self.fusion_heads or self.width % self.heads:
            raise ValueError("embedding and width must divide by their groups and heads")

        if self.detail_width and (self.image_size % 8 or self.detail_side not in self.decoder_sides):
            raise ValueError("the detail head needs a decoder level at a quarter of the side")

    def _check_values(self) -> None:
        """Raises ValueError for a value of the wrong type, or outside of all limits."""
        values: dict[str, Any] = asdict(self)
        for field in fields(self):
            value, kind = values[field.name], type(field.default)
            numbers = value if kind is tuple and type(value) is tuple else (value,)
            least = 0 if field.name == "detail_width" else 1
            most = _MAX_REPEATS if field.name in _REPEATS else _MAX_WIDTH
            fits = type(value) is kind and bool(field.default) <= len(numbers) <= _MAX_LEVELS
            if kind in (int, tuple):
                fits = fits and all(type(number) is int and least <= number <= most for number in numbers)
            if not fits:
                raise ValueError(f"{field.name} cannot be {shown(value)}")

    @property
    def decoder_sides(self) -> dict[int, int]:
        """Channels by the side of each level's grid."""
        return {self.image_size // (self.decoder_stem * 2**i): w for i, w in enumerate(self.decoder_widths)}

    @property
    def detail_side(self) -> int:
        """Side of the decoder's level from which the detail head draws."""
        return self.image_size // 4

    @property
    def latent_size(self) -> int:
        """Side of the latent grid."""
        return self.image_size // (self.encoder_stem * 2 ** (len(self.encoder_widths) - 1))

    @property
    def tokens(self) -> int:
        return self.latent_size**2

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> DaefrConfig:
        """The inverse of `to_dict`; unknown names raise ValueError."""
        if not isinstance(values, dict):
            raise TypeError("a DAEFR configuration is a table of names and values")
        known = {f.name for f in fields(cls)}
        if unknown := set(values) - known:
            raise ValueError(f"unknown fields of a DAEFR configuration: {', '.join(sorted(unknown))}")
        fitting: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        return cls(**fitting)


PUBLISHED = DaefrConfig()

COMPACT = DaefrConfig(
    name="compact",
    image_size=256,
    # A pixel-unshuffle stem: a block at 64 x 64 costs a sixteenth of one at full size.
    encoder_widths=(48, 80, 160),
    encoder_stem=4,
    encoder_blocks=1,
    decoder_widths=(32, 48, 96, 192),
    decoder_stem=2,
    decoder_blocks=1,
    level_attention=False,
    groups=16,
    width=256,
    layers=4,
    heads=8,
    feedforward=512,
    detail_width=32,
)
