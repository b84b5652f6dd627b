"""Real faces, from the sample, in any format, transfer, orientation and scan: short and small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from tests.support.shared import ROOT
from vidrestore.runtime.scheduling import keep_scheduling

SAMPLE = ROOT / "samples" / "old_film.mp4"
_LEFT, _TOP, _WIDTH, _HEIGHT = 112, 32, 288, 256
"""Where in the sample the face of its first half second is."""
FACE = (26, 29, 105, 103)
"""x0 y0 x1 y1 that the face does not leave in the frames of `face_pictures`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Footage:
    """How pictures are coded."""

    codec: str = "ffv1"
    pixel_format: str = "yuv420p"
    colour: tuple[int, int, int, int] = (6, 6, 6, 1)
    """matrix, primaries, transfer, range in FFmpeg's codes"""
    rotation: int = 0
    """Degrees counter-clockwise by which a player turns it."""
    mirrored: bool = False
    pixel_aspect: Fraction = Fraction(1)
    field_order: int = 0
    options: dict[str, str] | None = None
    rate: Fraction = Fraction(25)


@cache
def face_pictures(count: int = 6) -> tuple[NDArray[np.uint8], ...]:
    """(128, 144, 3) RGB of the sample's first frames, around the face."""
    result = []
    with av.open(str(SAMPLE)) as container:
        for picture, _ in zip(container.decode(video=0), range(count), strict=False):
            rgb = picture.to_ndarray(format="rgb24")[_TOP : _TOP + _HEIGHT, _LEFT : _LEFT + _WIDTH]
            result.append(cv2.resize(rgb, (_WIDTH // 2, _HEIGHT // 2), interpolation=cv2.INTER_AREA))
    return tuple(np.asarray(picture, np.uint8) for picture in result)


@keep_scheduling()  # SVT-AV1 would make the tests real-time threads
def make_footage(path: Path, pictures: Sequence[NDArray[Any]], footage: Footage | None = None) -> Path:
    """Codes `pictures` (h, w, 3), RGB in 8 or 16 bits as they are shown; turned back for coding."""
    footage = footage or Footage()
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream(
            footage.codec, rate=footage.rate, options=dict(footage.options or {})
        )
        context = video.codec_context
        coded = [_turned_back(picture, footage) for picture in pictures]
        video.height, video.width = coded[0].shape[:2]
        video.pix_fmt = footage.pixel_format
        context.time_base = video.time_base = 1 / footage.rate
        context.sample_aspect_ratio = footage.pixel_aspect
        context.field_order = footage.field_order
        _tag(context, footage)
        if footage.rotation or footage.mirrored:
            video.set_display_rotation(footage.rotation, hflip=footage.mirrored)
        for number, rgb in enumerate(coded):
            container.mux(video.encode(_picture(rgb, footage, number)))
        container.mux(video.encode(None))
    return path


def interlaced(pictures: Sequence[NDArray[Any]], *, top_first: bool = True) -> list[NDArray[Any]]:
    """Each two pictures woven into one: the fields of two moments."""
    result = []
    for first, second in zip(pictures[::2], pictures[1::2], strict=True):
        woven = first.copy()
        woven[int(top_first) :: 2] = second[int(top_first) :: 2]
        result.append(woven)
    return result


def panned(count: int, step: int = 3) -> list[NDArray[np.uint8]]:
    """(128, 144 - count * step, 3) the sample's first picture while the camera moves to the right."""
    (picture,) = face_pictures(1)
    width = (picture.shape[1] - count * step) // 4 * 4
    return [np.ascontiguousarray(picture[:, i * step : i * step + width]) for i in range(count)]


def _turned_back(rgb: NDArray[Any], footage: Footage) -> NDArray[Any]:
    if footage.mirrored:
        rgb = rgb[:, ::-1]
    return np.ascontiguousarray(np.rot90(rgb, -footage.rotation // 90))


def _picture(rgb: NDArray[Any], footage: Footage, number: int) -> av.VideoFrame:
    original = av.VideoFrame.from_ndarray(rgb, "rgb24" if rgb.dtype == np.uint8 else "rgb48le")
    matrix = {1: "itu709", 9: "bt2020"}.get(footage.colour[0], "itu601")
    picture = original.reformat(
        format=footage.pixel_format, dst_colorspace=matrix, dst_color_range=footage.colour[3]
    )
    _tag(picture, footage)
    picture.pts, picture.time_base = number, 1 / footage.rate
    return picture


def _tag(target: Any, footage: Footage) -> None:
    target.colorspace, target.color_primaries, target.color_trc, target.color_range = footage.colour
