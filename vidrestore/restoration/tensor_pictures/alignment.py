"""Cuts faces out of their frame on the device: `faces.alignment` for tensors.

Only the codes of the faces' regions go there. The sampled positions are computed in integers, as by OpenCV.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidrestore.colour.hdr import needs_tone_mapping
from vidrestore.faces.alignment import align, crop_region, matrix_of_region, place_crop, similarity_scale
from vidrestore.restoration.pinned_copies import pack, upload
from vidrestore.restoration.tensor_pictures.filters import low_pass
from vidrestore.restoration.tensor_pictures.memory import with_freed_memory
from vidrestore.restoration.tensor_pictures.pictures import TensorAlignedFace, empty_picture
from vidrestore.restoration.tensor_pictures.regions import pack_regions
from vidrestore.restoration.tensor_pictures.resampling import affine_steps, positions_of_steps, sample_at
from vidrestore.runtime.launching_thread import launch
from vidrestore.types import AlignedFace, Frame, FrameFaces, TrackedFace

Crop = tuple[NDArray[np.float64], int]
"""(2, 3) from frame px to crop px, and the side of the crop [px]."""


def align_on_device(
    item: FrameFaces[TrackedFace],
    size: int,
    *,
    device: torch.device,
    own_size: bool = False,
    max_reduction: int = 1,
) -> FrameFaces[AlignedFace]:
    """The frame with an upright crop of each of its faces, on the device; of HDR frames by OpenCV.

    Args:
        item: A frame and its tracked faces.
        size: As for `alignment.align`, like the others.
        device: Where the crops are needed.
        own_size: Whether larger faces get a larger crop.
        max_reduction: By how much smaller than the face in the frame its crop may be.
    """
    if needs_tone_mapping(item.frame.colour):
        return align(item, size, own_size=own_size, max_reduction=max_reduction)
    places = [
        place_crop(item.frame, face, size, own_size=own_size, max_reduction=max_reduction)
        for face in item.faces
    ]
    crops = with_freed_memory(lambda: warp_faces(item.frame, places, device)) if places else []
    faces = tuple(
        TensorAlignedFace(
            track_id=face.track_id,
            to_crop=to_crop,
            image=empty_picture(side),
            landmarks=face.landmarks,
            opacity=face.opacity,
            crop=crop,
        )
        for face, (to_crop, side), crop in zip(item.faces, places, crops, strict=True)
    )
    return FrameFaces(frame=item.frame, faces=faces, scene=item.scene)


def warp_faces(frame: Frame, crops: Sequence[Crop], device: torch.device) -> list[Tensor]:
    """The aligned faces (3, S, S) RGB in 0..1 of an SDR frame: `alignment.warp_face` of each.

    Args:
        frame: The frame.
        crops: At least one crop.
        device: Where they are needed.
    """
    regions = [crop_region(frame, *crop) for crop in crops]
    steps = [
        affine_steps(matrix_of_region(to_crop, x0, y0), side)
        for (to_crop, side), (x0, y0, _, _) in zip(crops, regions, strict=True)
    ]
    packed = pack([np.concatenate([each.ravel() for each in steps])], device)
    upload_regions = pack_regions(frame, regions, device)

    def run() -> list[Tensor]:
        flat = upload(packed, device)[0]
        steps_there = [part.view(2, 2, -1) for part in flat.split([each.size for each in steps])]
        return [
            _warp(low_pass(picture[None], similarity_scale(to_crop)), step)
            for picture, (to_crop, _), step in zip(upload_regions(), crops, steps_there, strict=True)
        ]

    return launch(device, run)


def _warp(region: Tensor, steps: Tensor) -> Tensor:
    """(3, S, S) in 0..1 from a region (1, C, h, w)."""
    x, y = positions_of_steps(steps)
    warped = sample_at(region, x[None], y[None], mode="bicubic")[0].clamp_(0, 1)
    return warped.expand(3, -1, -1)
