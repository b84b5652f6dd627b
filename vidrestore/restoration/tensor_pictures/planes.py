"""Regions of a frame's planes on the device, and the change that is added to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vidrestore.colour.yuv_rgb import black_and_span, chroma_kernels, rgb_to_codes
from vidrestore.faces.crop_place import Region
from vidrestore.restoration.pinned_copies import Download, download, pack, upload
from vidrestore.restoration.tensor_pictures.filters import filter_axis
from vidrestore.restoration.tensor_pictures.finer_noise import noise_share
from vidrestore.runtime.launching_thread import launch
from vidrestore.types import Frame, Plane


@dataclass(frozen=True, slots=True)
class FinerNoise:
    """What is needed in a region to subtract noise that is finer than the crop, on the device."""

    crop: Tensor
    """(3, h, w) the crop, warped back."""
    share: Tensor
    """(h, w) in 0..1: the share of the finest detail that was removed as noise."""
    head: Tensor
    """(h, w) in 0..1: the mask of the head."""


@dataclass(frozen=True, slots=True)
class RegionChange:
    """A change of a region of a frame, on the device."""

    delta: Tensor
    """(3, h, w) what is added to RGB, in the frame's transfer."""
    weight: Tensor
    """(h, w) in 0..1. Where it is 0, codes stay as they are."""
    noise: FinerNoise | None = None
    """The noise that is subtracted; None: nothing is."""


def add_change(
    frame: Frame,
    planes: Sequence[Plane],
    region: Region,
    device: torch.device,
    change: Callable[[], RegionChange],
) -> None:
    """Adds a weighted change of RGB to a region of the planes, in place: only the region's codes are copied.

    Args:
        frame: The frame from which the planes were copied.
        planes: The planes.
        region: The region.
        device: Where it is computed.
        change: Launches the computation of the change.
    """
    parts, untouched = _parts(frame, planes, region), _parts(frame, frame.planes, region)
    packed = pack_codes(parts, device)
    is_touched = not all(map(np.array_equal, parts, untouched))
    packed_before = pack_codes(untouched, device) if is_touched else packed

    def start() -> Download:
        codes, found = upload_codes(packed, parts, device), change()
        removals: list[Tensor] | None = None
        if found.noise is not None:
            before = upload_codes(packed_before, parts, device) if is_touched else codes
            removals = _removals(frame, before, found.noise)
        return _start_download(_changed(frame, codes, found, removals), parts)

    codes = launch(device, start).arrays()[0].view(parts[0].dtype)
    ends = np.cumsum([part.size for part in parts])[:-1]
    for part, piece in zip(parts, np.split(codes, ends), strict=True):
        part[:] = piece.reshape(part.shape)


def _changed(
    frame: Frame, codes: Sequence[Tensor], change: RegionChange, removals: Sequence[Tensor] | None
) -> list[Tensor]:
    """The codes with the change and without noise, rounded."""
    weights = _of_planes(change.weight, frame, cosited=False)
    peak = (1 << frame.format.bit_depth) - 1
    changed = []
    for index, (code, added) in enumerate(zip(codes, _changes(change.delta, frame), strict=True)):
        kept = added if removals is None else added - removals[index]
        changed.append((code + weights[index] * kept).round_().clamp_(0, peak))
    return changed


def _removals(frame: Frame, untouched: Sequence[Tensor], noise: FinerNoise) -> list[Tensor]:
    """The noise in each plane of the frame's region that is finer than the crop [codes].

    Args:
        frame: The frame.
        untouched: Its codes in the region, before other faces changed them.
        noise: What is needed.
    """
    span = float((1 << frame.format.bit_depth) - 1)
    shares = _of_planes(noise.share, frame, cosited=True)
    heads = _of_planes(noise.head, frame, cosited=False)
    removals = []
    for index, (code, crop) in enumerate(zip(untouched, _changes(noise.crop, frame), strict=True)):
        residual = _above_zero(code, index, frame) - crop
        removals.append(shares[index] * noise_share(residual / span, heads[index] > 0.5) * residual)
    return removals


def _of_planes(share: Tensor, frame: Frame, *, cosited: bool) -> list[Tensor]:
    """A share (h, w) on the grid of each of three planes."""
    small = _shrink(share, frame, cosited=cosited) if any(frame.format.chroma_shift) else share
    return [share, small, small]


def _above_zero(codes: Tensor, index: int, frame: Frame) -> Tensor:
    """Codes of a plane above those of black, or of grey in chroma, clipped to the range of the crop's."""
    if frame.format.family != "rgb" and index:
        return codes - float(1 << (frame.format.bit_depth - 1))
    black, span = black_and_span(frame)
    return (codes - black).clamp(0, span)


def pack_codes(parts: Sequence[Plane], device: torch.device) -> Tensor:
    """(1, N) the codes of parts of planes, with 8 or 16 bits per code, for one copy to the device."""
    flat = np.concatenate([part.ravel() for part in parts])
    # PyTorch computes with int16, but hardly with uint16.
    return pack([flat.view(np.int16) if flat.itemsize == 2 else flat], device)


def upload_codes(packed: Tensor, parts: Sequence[Plane], device: torch.device) -> list[Tensor]:
    """The parts as float32 on the device, copied together.

    Args:
        packed: From `pack_codes`.
        parts: The parts that were packed, for their shapes.
        device: Where they are needed.
    """
    there = upload(packed, device)[0]
    codes = there.float() if packed.itemsize == 1 else there.to(torch.int32).bitwise_and_(0xFFFF).float()
    sizes = [part.size for part in parts]
    return [piece.view(part.shape) for piece, part in zip(codes.split(sizes), parts, strict=True)]


def _parts(frame: Frame, planes: Sequence[Plane], region: Region) -> list[Plane]:
    """The region of each plane that is changed, as views."""
    return [
        _part(plane, region, frame.format.chroma_shift if index in (1, 2) else (0, 0))
        for index, plane in enumerate(planes[: 1 if frame.format.family == "gray" else 3])
    ]


def _part(plane: Plane, region: Region, shift: tuple[int, int]) -> Plane:
    """The region of a plane, as a view."""
    x0, y0, x1, y1 = region
    right, down = shift
    rows, columns = slice(y0 >> down, -(-y1 // (1 << down))), slice(x0 >> right, -(-x1 // (1 << right)))
    return plane[rows, columns]


def _start_download(codes: Sequence[Tensor], like: Sequence[Plane]) -> Download:
    """Launches the copy of codes, (1, N) with 8 or 16 bits per code, from float32."""
    kind = torch.uint8 if like[0].itemsize == 1 else torch.int16
    flat = torch.cat([code.flatten() for code in codes]).to(torch.int32).to(kind)
    return download(flat[None])


def _changes(delta: Tensor, frame: Frame) -> list[Tensor]:
    """The change of each plane's codes: `yuv_rgb.planes_from_rgb` of a difference."""
    if frame.format.family == "rgb":
        peak = float((1 << frame.format.bit_depth) - 1)
        return [delta[channel] * peak for channel in (1, 2, 0)]
    rows = rgb_to_codes(frame)[: 1 if frame.format.family == "gray" else 3, :3]
    changes = [
        (delta[0] * float(red)).add_(delta[1], alpha=float(green)).add_(delta[2], alpha=float(blue))
        for red, green, blue in rows
    ]
    return [changes[0], *(_shrink(change, frame, cosited=True) for change in changes[1:])]


def _shrink(plane: Tensor, frame: Frame, *, cosited: bool) -> Tensor:
    """(h, w) on the chroma grid: filtered at the samples (`cosited`), or the mean of each cell."""
    right, down = frame.format.chroma_shift
    (across, at_x), (along, at_y) = chroma_kernels(frame, cosited=cosited)
    small = filter_axis(plane[None, None], [float(w) for w in along], at_y, 2, 1 << down)
    return filter_axis(small, [float(w) for w in across], at_x, 3, 1 << right)[0, 0]
