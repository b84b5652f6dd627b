"""The pictures of a face that stay on the device between the steps of the networks.

Letters in shapes: S x S pixels of the crop, G x G pixels of the generator, K bands.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vidrestore.types import AlignedFace, FloatArray, RestoredFace


def empty_picture(size: int) -> FloatArray:
    """(size, size, 3), in place of a picture that is on the device; it is zero and needs no memory."""
    return np.broadcast_to(np.float32(0), (size, size, 3))


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorAlignedFace(AlignedFace):
    """A face as an upright crop on the device; `image` is an `empty_picture`."""

    crop: Tensor
    """(3, S, S) float32 RGB in 0..1."""

    def without_crop(self) -> AlignedFace:
        """Where the face is, without its picture."""
        kept = {field.name: getattr(self, field.name) for field in fields(AlignedFace)}
        return AlignedFace(**kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallGrey:
    """A small grey copy of a picture, for its motion: at half its side."""

    on_host: NDArray[np.uint8]
    """(S / 2, S / 2), for the optical flow, which a CPU computes."""
    on_device: Tensor
    """The same as float32 on the device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorEstimate:
    """The output of the evidence network for a face, on the device."""

    mean: Tensor
    """(3, S, S) float32 RGB in 0..1: the estimate of the clean face."""
    scale: Tensor
    """(K, S / 2, S / 2) float32: the Laplace scale of its error in each band, finest first."""
    given: Tensor
    """(3, S, S) float32 RGB in 0..1: the picture that was estimated."""
    grey: SmallGrey
    """Of `mean`."""
    change: Tensor
    """() float32: mean square of the difference between `given` and its estimate."""
    is_certain: bool
    """Whether so little detail is missing that nothing is drawn."""
    amount: float | None = None
    """Share of the missing detail that is drawn; None: the restorer's default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorPicture:
    """A drawn face, on the device."""

    picture: Tensor
    """(3, G, G) float32 RGB in 0..1."""
    grey: SmallGrey
    """Of `picture`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorFused:
    """A face after the fusion rule, on the device."""

    picture: Tensor
    """(3, S, S) float32 RGB in 0..1."""
    drawn: float
    """Share of its detail that was drawn, 0..1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorFace:
    """A restored face on the device."""

    place: AlignedFace
    """Where it is in the frame, and how it is treated."""
    image: Tensor
    """(3, S, S) float32 RGB in 0..1: the restored face."""
    estimate: Tensor | None
    """(3, S, S) the estimate without drawn detail; None: the whole face is drawn."""
    original: Tensor
    """(3, S, S) the face in the input."""
    drawn: float
    """Share of the restored face's detail that was drawn, 0..1."""

    @property
    def size(self) -> int:
        """Side of the crop [px]."""
        return int(self.image.shape[-1])

    def without_pictures(self) -> RestoredFace:
        """The face for counts and masks, with pictures that are empty and need no memory."""
        nothing = empty_picture(self.size)
        return RestoredFace(
            track_id=self.place.track_id,
            to_crop=self.place.to_crop,
            image=nothing,
            estimate=None if self.estimate is None else nothing,
            original=nothing,
            landmarks=self.place.landmarks,
            opacity=self.place.opacity,
            gain=self.place.gain,
            drawn=self.drawn,
            treatment=self.place.treatment,
        )
