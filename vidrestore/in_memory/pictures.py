"""What callers have pictures in, and frames: arrays, PyTorch tensors, PyAV's pictures, frames of planes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from vidrestore.colour.arrays import array_from_frame, frame_from_array
from vidrestore.errors import UsageError
from vidrestore.in_memory.frame_check import checked_frame
from vidrestore.types import Frame

_DLPACK_CPU = 1


@dataclass(frozen=True, slots=True)
class PictureKind:
    """How pictures of one kind become frames, and frames such pictures."""

    to_frame: Callable[[Any, int, Fraction], Frame]
    """Of a picture, its index and the frame rate."""
    from_frame: Callable[[Frame, Any, Frame], Any]
    """Of a changed frame, the picture that the frame came from, and what it was before."""
    shape: Callable[[Any], str]
    """What all pictures of a stream have in common, in words."""
    copy: Callable[[Any], Any]
    """A copy of a picture whose memory the caller may fill with the next one."""


def kind_of(picture: Any) -> PictureKind:
    """The kind of a caller's picture.

    Raises:
        UsageError: it is none of these kinds.
    """
    if isinstance(picture, np.ndarray):
        return _ARRAYS
    if isinstance(picture, Frame):
        return _FRAMES
    if _is_tensor(picture):
        return _TENSORS
    if type(picture).__module__.partition(".")[0] == "av":
        from vidrestore.video import frame_from_pyav, is_pyav_picture, pyav_from_frame

        if is_pyav_picture(picture):
            if not (picture.width and picture.height):
                raise UsageError(f"a picture has pixels, got {picture.width} x {picture.height}")
            return PictureKind(
                to_frame=lambda item, index, rate: frame_from_pyav(item, index=index, frame_rate=rate),
                from_frame=lambda frame, item, before: (
                    item if _is_unchanged(frame, before) else pyav_from_frame(frame, item)
                ),
                shape=lambda item: f"{item.width} x {item.height} {item.format.name}",
                copy=lambda item: item,  # a decoder returns a new one each time
            )
    raise UsageError(
        "a picture is a NumPy array, a PyTorch tensor, an av.VideoFrame or a vidrestore.Frame, got "
        f"{type(picture).__module__}.{type(picture).__qualname__}{_advice(picture)}"
    )


def _advice(picture: Any) -> str:
    """How the caller makes a picture of it; empty: not known."""
    if hasattr(picture, "__dlpack_device__"):
        kind, _ = picture.__dlpack_device__()
        return f"; {'numpy' if kind == _DLPACK_CPU else 'torch'}.from_dlpack makes a picture of it"
    return "; numpy.asarray makes an array of it" if hasattr(picture, "__array_interface__") else ""


def _is_tensor(picture: Any) -> bool:
    torch = sys.modules.get("torch")  # who has a tensor has imported it
    return torch is not None and isinstance(picture, torch.Tensor)


def _array_of(tensor: Any) -> Any:
    """The tensor's own memory where it is on the CPU."""
    try:
        return tensor.detach().cpu().numpy()
    except (TypeError, RuntimeError) as error:  # no data, no memory of its own, or no such type in NumPy
        raise UsageError(
            "a picture is a dense tensor of uint8, uint16 or float32, got "
            f"{tensor.dtype}, {tensor.layout} on {tensor.device}"
        ) from error


def _tensor_from_frame(frame: Frame, tensor: Any, before: Frame) -> Any:
    import torch

    return torch.from_numpy(array_from_frame(frame, _array_of(tensor), before)).to(tensor.device)


def _is_unchanged(frame: Frame, before: Frame) -> bool:
    return all(new is old for new, old in zip(frame.planes, before.planes, strict=True))


def _format_of(frame: Frame) -> str:
    return f"{frame.width} x {frame.height} {frame.format.name}"


_ARRAYS = PictureKind(
    to_frame=lambda item, index, rate: frame_from_array(item, index=index, frame_rate=rate),
    from_frame=array_from_frame,
    shape=lambda item: f"{item.shape} {item.dtype}",
    copy=np.copy,
)
_TENSORS = PictureKind(
    to_frame=lambda item, index, rate: frame_from_array(_array_of(item), index=index, frame_rate=rate),
    from_frame=_tensor_from_frame,
    shape=lambda item: f"{tuple(item.shape)} {item.dtype}",
    copy=lambda item: item.detach().clone(),
)
_FRAMES = PictureKind(
    to_frame=lambda item, index, _: replace(checked_frame(item), index=index),
    from_frame=lambda frame, item, _: replace(frame, index=item.index),
    shape=lambda item: _format_of(checked_frame(item)),
    copy=lambda item: replace(item, planes=tuple(plane.copy() for plane in item.planes)),
)
