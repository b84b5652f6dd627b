"""OpenEXR pictures: scene-linear light in half or single floats, through OpenCV.

Frames hold integers, so a picture is processed as 16-bit codes of the sRGB curve, in which faces look
natural. The changes at faces are added to the original as differences of light. All other pixels, and
highlights above 1, are written as exactly the floats that were read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.colour.hdr import needs_tone_mapping, to_bt709, to_light
from vidrestore.colour.yuv_rgb import rgb_region
from vidrestore.errors import InputError, ProcessingError, ReadError, UsageError
from vidrestore.runtime.environment import default_variable
from vidrestore.types import ColourTags, FloatArray, Frame, Plane, VideoInfo
from vidrestore.video.exr.header import picture_size
from vidrestore.video.formats.image_sequence import parse_pattern, refuse_other_size
from vidrestore.video.formats.pixel_formats import describe_format
from vidrestore.video.formats.time_range import TimeRange
from vidrestore.video.reading.file_io import refuse_special_file
from vidrestore.video.reading.input import Input, too_large_message

# OpenCV reads this variable at its first EXR picture, and refuses the format from then on without it. So one
# is encoded here.
with default_variable("OPENCV_IO_ENABLE_OPENEXR", "1"), suppress(cv2.error):
    cv2.imencode(".exr", np.zeros((1, 1), np.float32))

COLOUR = ColourTags(matrix=0, primaries=1, transfer=13, full_range=True)
"""Colour tags of the codes: RGB on the sRGB curve. EXR's primaries are BT.709 by default."""
_PEAK = 65535.0
_ROWS_AT_A_TIME = 64
_PLANES = {"gray16le": 1, "gbrp16le": 3, "gbrap16le": 4}
_CURVES_OF_SDR = {1, 4, 6, 13, 14, 15, 2, 0}
"""Transfer codes that a display shows nearly like sRGB: BT.709's family, sRGB, gamma 2.2, unspecified."""


def describe(input: Input, info: VideoInfo, stored: str) -> VideoInfo:
    """`info` for the frames of `read`; its profile is the type of the floats, half or single.

    Args:
        input: The picture or sequence.
        info: What FFmpeg says about it.
        stored: FFmpeg's name of its pixel format.
    """
    picture = load(_path(input, 0), input.max_pixels)
    name = next(name for name, count in _PLANES.items() if count == picture.shape[2])
    return replace(
        info,
        width=picture.shape[1],
        height=picture.shape[0],
        pixel_format=describe_format(name),
        colour=COLOUR,
        profile="single" if "f32" in stored else "half",
    )


def read(
    input: Input, info: VideoInfo, *, start: float | None = None, end: float | None = None
) -> Iterator[Frame]:
    """The pictures as frames; pts counts them from 0.

    Args:
        input: The picture or sequence.
        info: Its properties, from `describe`.
        start: First time to include [s].
        end: First time to exclude [s].

    Raises:
        InputError: A picture has other channels than the first, or is not an EXR picture.
        ReadError: The system cannot read it.
    """
    time_range = TimeRange(start=start, end=end)
    count = 1 if input.pictures is None else len(input.pictures)
    pts = [number for number in range(count) if time_range.contains(number, info.time_base)]
    for index, number in enumerate(pts):
        path = _path(input, number)
        picture = load(path, input.max_pixels)
        refuse_other_size(path, picture.shape[1::-1], (info.width, info.height))
        planes = to_codes(picture)
        if len(planes) != _PLANES[info.pixel_format.name]:
            raise InputError(
                f"{path} has other channels than the first picture; convert all to the same format"
            )
        yield Frame(
            index=index,
            pts=number,
            duration=1,
            time_base=info.time_base,
            planes=planes,
            format=info.pixel_format,
            colour=info.colour,
            orientation=info.orientation,
        )


def picture_path(input: Input, frame: Frame) -> Path:
    """The file from which `read` made the frame."""
    return _path(input, frame.pts)


def load(path: Path, max_pixels: int | None = None) -> FloatArray:
    """The light of a picture.

    Returns:
        (H, W, C) with C = R G B, R G B A, or grey.

    Raises:
        InputError: It is not an EXR picture, or has more than `max_pixels` pixels.
        ReadError: The system cannot read it.
    """
    _refuse_too_large(path, max_pixels)
    try:
        picture: NDArray[Any] | None = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise InputError(_opencv_error(path, str(error))) from error
    if picture is None:
        _raise_read_error(path)
        raise InputError(f"{path} is not an OpenEXR picture that can be read; check it in a viewer")
    picture = picture.astype(np.float32, copy=False)
    if picture.ndim == 2:
        return picture[..., None]
    code = cv2.COLOR_BGRA2RGBA if picture.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(picture, code, dst=picture), np.float32)


def _refuse_too_large(path: Path, max_pixels: int | None) -> None:
    refuse_special_file(path)
    try:
        size = picture_size(path)
    except OSError as error:
        raise ReadError.of(path, error) from error
    if size is not None and max_pixels is not None and size[0] * size[1] > max_pixels:
        raise InputError(too_large_message(path, size[0], size[1], max_pixels))


def _raise_read_error(path: Path) -> None:
    """Raises ReadError if the system cannot read the file: OpenCV does not report it."""
    try:
        path.read_bytes()
    except OSError as error:
        raise ReadError.of(path, error) from error


def save(path: Path, picture: FloatArray, *, half: bool) -> None:
    """Writes light of the shape that `load` returns.

    Args:
        path: The file.
        picture: The light, (H, W, C).
        half: Whether to write half floats; otherwise single floats.

    Raises:
        OSError: The file cannot be written.
    """
    kind = cv2.IMWRITE_EXR_TYPE_HALF if half else cv2.IMWRITE_EXR_TYPE_FLOAT
    channels = [2, 1, 0, *range(3, picture.shape[2])] if picture.shape[2] > 1 else [0]
    stored = np.ascontiguousarray(picture[..., channels], dtype=np.float32)
    try:
        packed = cv2.imencode(".exr", stored, [cv2.IMWRITE_EXR_TYPE, kind])[1]
    except cv2.error as error:
        raise ProcessingError(_opencv_error(path, str(error))) from error
    path.write_bytes(packed.tobytes())


def to_codes(picture: FloatArray) -> tuple[Plane, ...]:
    """The planes of a frame, 16 bits: G B R [A], or grey; colours on the sRGB curve, alpha linear."""
    count = picture.shape[2]
    order = [0] if count == 1 else [1, 2, 0, *range(3, count)]
    planes = []
    for place, channel in enumerate(order):
        plane = np.empty(picture.shape[:2], np.uint16)
        for top in range(0, len(plane), _ROWS_AT_A_TIME):
            light = np.clip(picture[top : top + _ROWS_AT_A_TIME, :, channel], 0, 1)
            code = light if place == 3 else _to_srgb(light)
            plane[top : top + _ROWS_AT_A_TIME] = np.round(code * _PEAK)
        plane.flags.writeable = False
        planes.append(plane)
    return tuple(planes)


def apply_changes(original: FloatArray, frame: Frame) -> FloatArray:
    """`original` plus the differences of light between it and `frame`."""
    out = original.copy()
    before = to_codes(original)
    order = [0] if original.shape[2] == 1 else [1, 2, 0]
    for channel, old, new in zip(order, before, frame.planes, strict=False):
        rows, columns = np.nonzero(old != new)
        out[rows, columns, channel] += _light_of(new[rows, columns]) - _light_of(old[rows, columns])
    return out


def light_from_video(frame: Frame) -> FloatArray:
    """The light of a video frame, with BT.709's primaries; diffuse white is 1, also of HDR.

    Raises:
        UsageError: The transfer is not supported.
    """
    colour, rgb = frame.colour, rgb_region(frame, 0, 0, frame.width, frame.height)
    if needs_tone_mapping(colour):
        light = to_light(rgb, colour)
    elif colour.transfer in _CURVES_OF_SDR:
        light = to_bt709(_to_light(np.clip(rgb, 0, 1).astype(np.float32)), colour)
    else:
        raise UsageError(
            f"video of the transfer {colour.transfer} (H.273) cannot be written as .exr; write it as .png"
        )
    if frame.format.family == "gray":
        return light[..., :1]
    if frame.format.has_alpha:
        alpha = frame.planes[-1].astype(np.float32) / ((1 << frame.format.bit_depth) - 1)
        return np.concatenate([light, alpha[..., None]], axis=2)
    return light


def _path(input: Input, number: int) -> Path:
    """The path of picture `number`, counted from 0."""
    if input.pictures is None:
        return input.path
    return parse_pattern(input.path).path(input.pictures[number])


def _to_srgb(light: FloatArray) -> FloatArray:
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)


def _to_light(code: FloatArray) -> FloatArray:
    light = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    return light.astype(np.float32)


def _light_of(codes: Plane) -> FloatArray:
    return _to_light(codes.astype(np.float32) / np.float32(_PEAK))


def _opencv_error(path: Path, message: str) -> str:
    if "disabled" in message or "OPENEXR" in message:
        return (
            f"{path} needs OpenCV with OpenEXR, but this process has already used OpenCV without it; "
            "set OPENCV_IO_ENABLE_OPENEXR=1 in the environment"
        )
    return f"OpenCV cannot work on {path}: {message.splitlines()[-1] if message else 'no reason given'}"
