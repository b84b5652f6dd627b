"""The types of the keyword arguments of the Python interface.

They are the fields of `vidrestore.Settings`, which documents them. None means: not given.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from os import PathLike
from typing import Literal, TypedDict

from vidrestore.settings.sidecar import Sidecar

Auto = Literal["auto"]
Compare = Literal["none", "side-by-side"]
Deinterlace = Literal["auto", "keep", "bwdif"]
HardwareDecoding = Literal["none", "auto", "cuda"]
EngineName = Literal["local", "ray"]
InputFormat = Literal["y4m", "nut", "rawvideo"]
Precision = Literal["auto", "float32", "bfloat16"]
Upscale = Literal[1, 2, 4]


class FaceKeywords(TypedDict, total=False):
    """How faces are found and restored, for files and for pictures in memory."""

    detector: str | None
    batch: int | None
    strength: float | None
    fidelity: float | Auto | None
    temporal: float | None
    grain: float | Auto | None
    deflicker: bool | None
    faces: str | int | Sequence[int] | None
    min_face: int | None


class RestorerKeywords(FaceKeywords, total=False):
    """Also the networks, and the device on which they run."""

    model: str | None
    device: str | None
    precision: Precision | None
    compile: bool | None


class SettingsKeywords(RestorerKeywords, total=False):
    """All settings: also how files are read and written, and how long videos are divided."""

    aligned: bool | None
    codec: str | None
    crf: float | None
    quality: int | None
    preset: str | None
    container: str | None
    fps: Fraction | float | str | None
    input_format: InputFormat | None
    pixel_format: str | None
    size: str | None
    max_pixels: int | None
    hwaccel: HardwareDecoding | None
    strict: bool | None
    start: float | str | None
    end: float | str | None
    handles: int | None
    deinterlace: Deinterlace | None
    upscale: Upscale | None
    compare: Compare | None
    mask: str | None
    overwrite: bool | None
    sidecar: str | PathLike[str] | Sidecar | None
    segment: float | None
    workers: int | None
    engine: EngineName | None
    restart: bool | None
