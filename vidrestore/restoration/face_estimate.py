"""The results of the evidence network and of the fusion rule for a face."""

from __future__ import annotations

from dataclasses import dataclass

from vidrestore.types import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceEstimate:
    """The output of the evidence network for a face."""

    mean: FloatArray
    """(S, S, 3) RGB in 0..1: the estimate of the clean face."""
    scale: FloatArray
    """(S / 2, S / 2, K): the Laplace scale of its error in each band, finest first, in units of the mean."""
    change: float
    """Mean square of the difference between the footage and its estimate."""
    is_certain: bool
    """Whether so little detail is missing that nothing is drawn."""
    amount: float | None = None
    """Share of the missing detail that is drawn; None: the restorer's default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FusedFace:
    """A face after the fusion rule."""

    picture: FloatArray
    """(S, S, 3) RGB in 0..1."""
    drawn: float
    """Share of its detail that was drawn, 0..1."""
