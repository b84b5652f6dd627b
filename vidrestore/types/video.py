"""A video's properties and its frames."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8] | NDArray[np.uint16]
FloatArray = NDArray[np.float32]
FieldOrder = Literal["progressive", "top", "bottom"]
"""progressive, or interlaced with the field of the top line or of the second line (bottom) first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelFormat:
    """A planar pixel format, as FFmpeg names it."""

    name: str
    """FFmpeg's name, such as yuv420p, yuv422p10le, gbrp, gray."""
    family: Literal["yuv", "rgb", "gray"]
    bit_depth: int
    """Bits per sample: 8 in uint8 planes, 9 to 16 in the low bits of uint16 planes."""
    chroma_shift: tuple[int, int] = (0, 0)
    """log2 of the chroma subsampling, horizontal and vertical: (1, 1) for 4:2:0."""
    has_alpha: bool = False
    """Whether the last plane is alpha, which is never changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourTags:
    """The stream's colour description, in FFmpeg's integer codes (0 or 2: unspecified)."""

    matrix: int = 2
    """AVColorSpace: 1 BT.709, 5 and 6 BT.601, 9 BT.2020, 0 RGB."""
    primaries: int = 2
    transfer: int = 2
    full_range: bool = False
    siting: int = 0
    """AVChromaLocation: 0 unspecified, 1 left, 2 centre, 3 top-left, 4 top, 5 bottom-left, 6 bottom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orientation:
    """How a player displays the coded picture: rotated by `turn`, then mirrored left to right."""

    turn: int = 0
    """Degrees counter-clockwise: 0, 90, 180 or 270."""
    mirrored: bool = False

    @property
    def is_transposed(self) -> bool:
        """Whether width and height are exchanged for display."""
        return self.turn % 180 != 0


UPRIGHT = Orientation()


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoInfo:
    """The properties of a video: its first video stream, and the container."""

    path: Path
    width: int
    """Coded width [px]; frames have this size, without rotation."""
    height: int
    frame_rate: Fraction
    """Average frames per second, for estimates and for encoders; exact times are in each pts."""
    time_base: Fraction
    """Seconds per tick of Frame.pts."""
    pixel_aspect: Fraction
    frame_count: int | None
    """Number of frames, as the container states or implies it; None: unknown."""
    duration: Fraction | None
    """Seconds, or None."""
    orientation: Orientation
    """From the display matrix."""
    pixel_format: PixelFormat
    colour: ColourTags
    field_order: FieldOrder
    """By the flags of the stream or of its first picture."""
    codec: str
    bit_rate: int | None
    other_streams: tuple[str, ...]
    """The type of each other stream: audio, subtitle, data, attachment, video (a cover)."""
    profile: str | None = None
    """The codec's profile, such as HQ of ProRes or High 4:2:2 Intra of H.264."""
    notes: tuple[str, ...] = ()
    """Warnings about how the video is read, one sentence each."""
    is_opaque: bool = True
    """Whether no picture of an animation, or the first one of other videos, has transparent pixels."""
    is_counted: bool = False
    """Whether the container states `frame_count`; otherwise it is computed from the duration."""

    @property
    def rotation(self) -> int:
        """Degrees counter-clockwise by which a player turns the picture."""
        return self.orientation.turn

    @property
    def interlaced(self) -> bool:
        return self.field_order != "progressive"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """A decoded picture in the video's own pixel format. Frames are compared by identity."""

    index: int
    """Number of the frame in presentation order, from 0."""
    pts: int
    """[VideoInfo.time_base]"""
    duration: int
    """[VideoInfo.time_base]; 0 when unknown."""
    time_base: Fraction
    planes: tuple[Plane, ...] = field(repr=False)
    """(height, width) each, chroma subsampled by the format; Y U V [A], G B R [A] or Y. Read-only."""
    format: PixelFormat
    colour: ColourTags
    orientation: Orientation = UPRIGHT
    """Rotation and mirroring for display; the planes are not rotated."""
    captions: bytes = b""
    """Embedded captions of this picture: A/53's triplets."""
    active_format: int | None = None
    """Code of its active format description, 0 to 15."""
    is_fitted: bool = False
    """Whether it had another size or pixel aspect than the first frame, and was fitted into its size."""
    is_converted: bool = False
    """Whether it had another sample format than the first frame, and was converted to that."""
    has_other_colour: bool = False
    """Whether its colour tags differ from those of the first frame, which an output states."""
    second_field: bool = False
    """Whether this is the later field of an interlaced picture; both fields have the picture's index."""

    @property
    def width(self) -> int:
        return int(self.planes[0].shape[1])

    @property
    def height(self) -> int:
        return int(self.planes[0].shape[0])

    @property
    def seconds(self) -> float:
        return float(self.pts * self.time_base)

    @property
    def nbytes(self) -> int:
        """Size of the planes in bytes."""
        return sum(plane.nbytes for plane in self.planes)
