"""Regions of a frame as RGB on the device: `yuv_rgb.rgb_region` for tensors.

All regions of a frame go there in one copy, with 8 or 16 bits per code; the conversion is done there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from vidrestore.colour.yuv_rgb import black_and_span, chroma_is_cosited, codes_to_rgb
from vidrestore.faces.crop_place import Region
from vidrestore.restoration.temporal_blend import numbers_on
from vidrestore.restoration.tensor_pictures.planes import pack_codes, upload_codes
from vidrestore.types import Frame, Plane

Part = tuple[slice, slice]
"""Rows and columns of a plane."""


def pack_regions(frame: Frame, regions: Sequence[Region], device: torch.device) -> Callable[[], list[Tensor]]:
    """Packs the codes of regions for one copy; the returned function launches the copy and the conversion.

    Its results are (3, h, w) RGB of each region in the video's transfer, or (1, h, w) of a grey frame. Codes
    outside of the legal range give values outside of 0..1.

    Args:
        frame: The frame.
        regions: Regions inside the frame, which may overlap; they need not start on the chroma grid.
        device: Where they are needed.
    """
    parts = [_parts(frame, region) for region in regions]
    upload_parts = _pack_parts(frame, parts, device)
    return lambda: [_rgb(frame, *each) for each in zip(regions, parts, upload_parts(), strict=True)]


def _parts(frame: Frame, region: Region) -> list[Part]:
    """The part of each plane on which a region depends; for chroma, one sample more on each side."""
    x0, y0, x1, y1 = region
    luma = slice(y0, y1), slice(x0, x1)
    if frame.format.family == "gray":
        return [luma]
    if frame.format.family == "rgb":
        return [luma] * 3
    right, down = frame.format.chroma_shift
    height, width = frame.planes[1].shape
    return [luma, *[(_around(y0, y1, down, height), _around(x0, x1, right, width))] * 2]


def _around(first: int, end: int, shift: int, count: int) -> slice:
    return (
        slice(max((first >> shift) - 1, 0), min(((end - 1) >> shift) + 2, count))
        if shift
        else slice(first, end)
    )


def _pack_parts(
    frame: Frame, parts: Sequence[list[Part]], device: torch.device
) -> Callable[[], list[list[Tensor]]]:
    """Launches the copy of the parts' codes, as float32; the whole planes are copied if that is less."""
    planes = frame.planes[: len(parts[0])]
    views = [plane[part] for each in parts for plane, part in zip(planes, each, strict=True)]
    if sum(view.size for view in views) > sum(plane.size for plane in planes):
        return partial(_slices, planes, pack_codes(planes, device), parts, device)
    return partial(_pieces, views, pack_codes(views, device), parts, device)


def _slices(
    planes: Sequence[Plane], packed: Tensor, parts: Sequence[list[Part]], device: torch.device
) -> list[list[Tensor]]:
    there = upload_codes(packed, planes, device)
    return [[plane[part] for plane, part in zip(there, each, strict=True)] for each in parts]


def _pieces(
    views: Sequence[Plane], packed: Tensor, parts: Sequence[list[Part]], device: torch.device
) -> list[list[Tensor]]:
    pieces = iter(upload_codes(packed, views, device))
    return [[next(pieces) for _ in each] for each in parts]


def _rgb(frame: Frame, region: Region, parts: list[Part], codes: list[Tensor]) -> Tensor:
    black, span = black_and_span(frame)
    if frame.format.family == "gray":
        return ((codes[0] - black) / span)[None]
    if frame.format.family == "rgb":
        green, blue, red = codes
        return torch.stack([red, green, blue]) / span
    luma = codes[0]
    chroma = _grow(torch.stack(codes[1:]), frame, region, parts[1])
    planes = torch.cat([luma[None], chroma])
    matrix = codes_to_rgb(frame)
    factors = numbers_on(tuple(map(tuple, matrix[:, :3].tolist())), luma.device)
    offsets = numbers_on(tuple((number,) for number in matrix[:, 3].tolist()), luma.device)
    return torch.addmm(offsets, factors, planes.flatten(1)).view(planes.shape)


def _grow(chroma: Tensor, frame: Frame, region: Region, part: Part) -> Tensor:
    """(2, h, w) from (2, h', w'): interpolated at the luma samples of a region; edges are repeated."""
    x0, y0, x1, y1 = region
    right, down = frame.format.chroma_shift
    on_column, on_line = chroma_is_cosited(frame)
    rows, columns = part
    grown = _grow_axis(_grow_axis(chroma[None], 2, down, on_line), 3, right, on_column)[0]
    top, left = y0 - (rows.start << down), x0 - (columns.start << right)
    return grown[:, top : top + y1 - y0, left : left + x1 - x0]


def _grow_axis(chroma: Tensor, axis: int, shift: int, cosited: bool) -> Tensor:
    """Chroma samples, enlarged along an axis; the first result is at the first cell's first luma sample."""
    if not shift:
        return chroma
    size = list(chroma.shape[2:])
    size[axis - 2] <<= shift
    if not cosited:
        return F.interpolate(chroma, size=size, mode="bilinear", align_corners=False)
    # The samples after the last one repeat it.
    size[axis - 2] += 1
    padded = F.pad(chroma, (0, 1, 0, 0) if axis == 3 else (0, 0, 0, 1), mode="replicate")
    return F.interpolate(padded, size=size, mode="bilinear", align_corners=True)
