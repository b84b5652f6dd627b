"""What the evidence network and the rule give for a face."""

from __future__ import annotations

from dataclasses import dataclass

from vidrestore.types import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceEstimate:
    """What the footage shows of a face, by the evidence network."""

    mean: FloatArray
    """(S, S, 3) RGB in 0..1: the estimate of the clean face."""
    scale: FloatArray
    """(S / 2, S / 2, K): the Laplace scale of its error in each band, finest first, in units of the mean."""
    is_certain: bool
    """Whether so little is missing that nothing needs to be drawn."""
    amount: float | None = None
    """Share of the missing detail that is drawn; None: the restorer's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FusedFace:
    """A face after the rule."""

    picture: FloatArray
    """(S, S, 3) RGB in 0..1."""
    drawn: float
    """Share of its detail that the generator drew, 0..1."""
