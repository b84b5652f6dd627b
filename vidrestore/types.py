"""The values that stages of the pipeline pass on. numpy only.

Boxes are x0 y0 x1 y1, half-open, in frame pixels. Landmarks are left eye, right eye, nose, left and right
mouth corner *as seen in the picture*, (5, 2) x y in frame pixels. Pixel coordinates are of pixel centres:
the centre of the top-left pixel is (0, 0). Time is an integer pts and a Fraction time base.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from vidrestore.sidecar import FaceTreatment

Plane = NDArray[np.uint8] | NDArray[np.uint16]
FloatArray = NDArray[np.float32]
FieldOrder = Literal["progressive", "top", "bottom"]
"""Whether a picture's even and odd lines are of two moments, and whose come first: the top line's or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelFormat:
    """A planar pixel format, as FFmpeg names it."""

    name: str
    """FFmpeg's name, such as yuv420p, yuv422p10le, gbrp, gray."""
    family: Literal["yuv", "rgb", "gray"]
    bit_depth: int
    """Bits a sample: 8 in uint8 planes, 9 to 16 in uint16 planes, in the low bits."""
    chroma_shift: tuple[int, int] = (0, 0)
    """log2 of the chroma subsampling, horizontal and vertical: (1, 1) for 4:2:0."""
    has_alpha: bool = False
    """Whether the last plane is alpha; it is carried along untouched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourTags:
    """Colour description as the stream states it, in FFmpeg's integer codes (0 or 2: unspecified)."""

    matrix: int = 2
    """AVColorSpace: 1 BT.709, 5 and 6 BT.601, 9 BT.2020, 0 RGB."""
    primaries: int = 2
    transfer: int = 2
    full_range: bool = False
    siting: int = 0
    """AVChromaLocation: 0 unspecified, 1 left, 2 centre, 3 top-left, 4 top, 5 bottom-left, 6 bottom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orientation:
    """How a player turns the coded picture before it shows it: by `turn`, then mirrored left to right."""

    turn: int = 0
    """Degrees counter-clockwise: 0, 90, 180 or 270."""
    mirrored: bool = False

    @property
    def is_transposed(self) -> bool:
        """Whether what is coded from side to side is shown up and down."""
        return self.turn % 180 != 0


UPRIGHT = Orientation()


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoInfo:
    """What a container says of its first video stream, asked once."""

    path: Path
    width: int
    """Coded width in pixels; frames have this size, rotation not applied."""
    height: int
    frame_rate: Fraction
    """Average frames a second, for estimates and for encoders that ask; timing itself is in each pts."""
    time_base: Fraction
    """Seconds a tick of Frame.pts."""
    pixel_aspect: Fraction
    frame_count: int | None
    """As the container states or implies it; None where it does not."""
    duration: Fraction | None
    """Seconds, or None."""
    orientation: Orientation
    """From the display matrix."""
    pixel_format: PixelFormat
    colour: ColourTags
    field_order: FieldOrder
    """As the stream or its first picture is flagged."""
    codec: str
    bit_rate: int | None
    other_streams: tuple[str, ...]
    """One word a stream besides the video: audio, subtitle, data, attachment, video (a cover)."""
    profile: str | None = None
    """The codec's, such as HQ of ProRes or High 4:2:2 Intra of H.264."""
    notes: tuple[str, ...] = ()
    """What a user should know of how the video is read, a sentence each."""
    is_opaque: bool = True
    """Whether nothing of the first picture is transparent."""
    is_counted: bool = False
    """Whether the container states `frame_count`, rather than a duration it follows from."""

    @property
    def rotation(self) -> int:
        """Degrees counter-clockwise by which a player turns the picture."""
        return self.orientation.turn

    @property
    def interlaced(self) -> bool:
        return self.field_order != "progressive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A decoded picture in the video's own pixels."""

    index: int
    """Decode order, from 0."""
    pts: int
    """[VideoInfo.time_base]"""
    duration: int
    """[VideoInfo.time_base]; 0 when unknown."""
    time_base: Fraction
    planes: tuple[Plane, ...] = field(repr=False)
    """(height, width) each, chroma subsampled as in the format; Y U V [A], G B R [A] or Y. Read only."""
    format: PixelFormat
    colour: ColourTags
    orientation: Orientation = UPRIGHT
    """How it is to be turned to be looked at; the planes are not."""
    captions: bytes = b""
    """Embedded captions of this picture: A/53's triplets."""
    is_fitted: bool = False
    """Whether it had another size or pixel aspect than the first frame, and was fitted into that one's."""
    second_field: bool = False
    """Whether this is the later of the two moments of an interlaced picture, which share its index."""

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
        """Of its planes; as numpy's."""
        return sum(plane.nbytes for plane in self.planes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """A face found in one frame."""

    box: FloatArray
    """(4,) x0 y0 x1 y1 [frame px], half-open."""
    landmarks: FloatArray
    """(5, 2) x y [frame px]: left eye, right eye, nose, left and right mouth corner in the picture."""
    score: float
    """0..1: how sure the detector is that this is a face and the points are right."""

    def __post_init__(self) -> None:
        if self.box.shape != (4,) or self.landmarks.shape != (5, 2):
            raise ValueError(
                f"box must be (4,) and landmarks (5, 2), got {self.box.shape}, {self.landmarks.shape}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedFace:
    """A face that belongs to a person followed through time."""

    track_id: int
    box: FloatArray
    """(4,) smoothed [frame px]."""
    landmarks: FloatArray
    """(5, 2) smoothed [frame px]."""
    score: float
    observed: bool
    """False: predicted by the filter, the detector saw nothing here."""
    opacity: float = 1.0
    """0..1: how much of the restored face is wanted; fades at birth and death of a track."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignedFace:
    """A face cut out of its frame and turned upright."""

    track_id: int
    to_crop: NDArray[np.float64]
    """(2, 3) similarity, frame px -> crop px."""
    image: FloatArray
    """(S, S, 3) RGB in 0..1; of PQ, HLG and linear video its SDR rendering (`colour/hdr.py`)."""
    landmarks: FloatArray
    """(5, 2) [frame px]."""
    opacity: float = 1.0
    gain: float = 1.0
    """Factor on its brightness that steadies it over time; `image` is without it."""
    treatment: FaceTreatment | None = None
    """None: as the settings say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredFace:
    """An aligned face with its restored picture."""

    track_id: int
    to_crop: NDArray[np.float64]
    image: FloatArray
    """(S, S, 3) RGB in 0..1: the restored face."""
    estimate: FloatArray | None
    """(S, S, 3) RGB in 0..1: what the footage shows, without drawn detail; None: the face is drawn whole."""
    original: FloatArray
    """(S, S, 3) RGB in 0..1: the face as it was."""
    landmarks: FloatArray
    opacity: float = 1.0
    gain: float = 1.0
    """Factor on the original's brightness; the restored picture has it already."""
    drawn: float = 0.0
    """Share of the restored face's detail that was drawn, 0..1."""
    treatment: FaceTreatment | None = None
    """None: as the settings say."""


FaceT = TypeVar("FaceT", Detection, TrackedFace, AlignedFace, RestoredFace)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameFaces(Generic[FaceT]):
    """A frame and its faces at one pipeline stage."""

    frame: Frame
    faces: tuple[FaceT, ...]
    scene: int = 0
    """Number of the scene the frame belongs to; set by tracking, changes at a cut."""


Stage = Literal["opening", "loading", "analysing", "restoring", "measuring", "finishing"]
"""What a run is at: looking at the input; loading the networks; finding the faces of a film, before its first
segment is restored; restoring; measuring, of `evaluate`; and putting the output together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What a bar, a page or a host's callback reads."""

    frames: int
    """Written so far; while the stage is analysing: looked through so far."""
    total: int | None
    """Expected, or None where the container does not say."""
    faces: int
    """Restored so far."""
    seconds: float
    """Since the start."""
    resumed_frames: int = 0
    """Of the frames, those an earlier run that was interrupted had written."""
    stage: Stage = "restoring"


ProgressCallback = Callable[[Progress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnShare:
    """How much of a track's detail the generator drew; the rest is what the footage shows."""

    track: int
    """As `vidrestore inspect` numbers it."""
    frames: int
    """In which it was restored."""
    mean: float
    """Share of the detail over these frames, 0..1."""
    maximum: float
    """Of one frame, 0..1."""


DAMAGED_SHARE = 0.01
"""Share of lost and concealed frames above which a run counts as damaged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was done, what was not."""

    output: Path
    frames: int
    frames_with_faces: int
    faces: int
    tracks: int
    lost_frames: int
    """Frames that could not be decoded: at their time the one before is shown, or they lay behind the end."""
    seconds: float
    seconds_by_stage: dict[str, float]
    """Of work; stages overlap, so that the sum may exceed `seconds`."""
    warnings: tuple[str, ...] = ()
    concealed_frames: int = 0
    """Frames of which the decoder had to patch parts."""
    drawn: tuple[DrawnShare, ...] = ()
    """How much of each track was drawn, by their numbers."""
    people: tuple[str, ...] = ()
    """A sentence for each track that was chosen by person: who it is taken for, and how sure that is."""

    @property
    def damage(self) -> float:
        """Share of the input's frames that were lost or concealed, 0..1."""
        damaged = self.lost_frames + self.concealed_frames
        return damaged / max(self.frames, damaged, 1)

    @property
    def is_damaged(self) -> bool:
        """Whether so many frames were lost or concealed that batch and exit codes report it."""
        return self.damage > DAMAGED_SHARE
