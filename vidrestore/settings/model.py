"""All settings, with the same names on the command line, in YAML files and as keyword arguments."""

from __future__ import annotations

import unicodedata
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from vidrestore.errors import UsageError
from vidrestore.settings.booleans import without_boolean
from vidrestore.settings.error_sentence import sentence
from vidrestore.settings.keywords import (
    Compare,
    Deinterlace,
    EngineName,
    HardwareDecoding,
    InputFormat,
    Precision,
    SettingsKeywords,
    Upscale,
)
from vidrestore.settings.sidecar import (
    DEFAULT_MIN_FACE,
    FaceTreatment,
    Grain,
    Share,
    Sidecar,
    parse_sidecar,
)
from vidrestore.settings.times_and_rates import parse_frame_rate, parse_time
from vidrestore.settings.yaml_file import read_yaml

MAX_PIXELS = 64_000_000
"""Default limit for a picture; 8K video and photos of nearly all cameras have fewer."""
LONGEST_SECONDS = 1e8
"""Limit for times and lengths: three years."""
Fidelity = Share | Literal["auto"]

_NOT_FOR_ALIGNED_FACES = (
    "detector", "temporal", "grain", "deflicker", "faces", "sidecar", "min_face", "deinterlace", "upscale",
    "compare", "mask", "segment",
)  # fmt: skip
"""Settings that do not apply to aligned faces."""
_SHARE = r"(0?\.\d{1,9}|1\.0{1,9}|[01])"
_CONDITION = rf"((larger|smaller):\d{{1,5}}|within:{_SHARE}(,{_SHARE}){{3}})"
_CONDITIONS = rf"{_CONDITION}(\+{_CONDITION})*"
"""Conditions on size and position, for `tracking.track_conditions`."""


class TimeRange(TypedDict):
    """Start and end of a part of a video, in seconds from its start; None: the start or end of the video."""

    start: float | None
    end: float | None


class Settings(BaseModel):
    """The checked settings of a run. Unknown names and values out of range raise UsageError."""

    # The text under each field is its help, also on the command line. Where a field has a pattern, the text
    # also follows "must be" in the error message.
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        arbitrary_types_allowed=True,  # Fraction
    )

    model: str = "compact"
    """compact (embedded), daefr (the authors' 512-pixel checkpoint), or a path to weights."""
    detector: str = "embedded"
    """embedded, retinaface_mobile0.25 or retinaface_resnet50; the last two also with =PATH."""
    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:\d{1,2})?)$")
    """auto, cpu, cuda, cuda:N or mps."""
    precision: Precision = "auto"
    """Number format of the networks: auto (the faster one on the device), float32 or bfloat16."""
    compile: bool = False
    """Compile the networks for an NVIDIA GPU. The start then takes minutes, so use it for long videos."""
    batch: int | None = Field(default=None, ge=1, le=256)
    """Faces that a network computes together; None: chosen for the device."""
    strength: float = Field(default=1.0, ge=0, le=1)
    """Share of the restored face in the result, 0 to 1; the rest is the original."""
    fidelity: Fidelity = "auto"
    """auto draws detail that the footage does not show; 0 draws whole faces, 1 nothing; 0.5 equals auto."""
    temporal: float = Field(default=1.0, ge=0, le=1)
    """How strongly a face is averaged with neighbouring frames, 0 to 1; 0: each frame on its own."""
    grain: Grain = "auto"
    """Share of the original grain that restored faces keep, 0 to 1, or auto."""
    deflicker: bool = False
    """Stabilise the brightness of each face over time."""
    faces: str = Field(
        default="all",
        pattern=rf"^(all|largest|none|(not:)?(p?\d{{1,9}}(,p?\d{{1,9}})*|{_CONDITIONS})|like:[^\x00]{{1,4096}})$",
    )
    """all, largest, none, numbers of tracks and people by `vidrestore inspect` (0,2,p1), size and position
    (larger:80+within:0,0,0.5,1), all except some (not:0,p1), or the person in a photo (like:photo.jpg)."""
    sidecar: Sidecar | None = None
    """The video's sidecar: a YAML file from `vidrestore inspect --sidecar`, for scenes and people."""
    min_face: int = Field(default=DEFAULT_MIN_FACE, ge=8, le=100_000)
    """Smallest face to restore: the side of its box in pixels."""
    aligned: bool = False
    """Each picture is one aligned face; it is restored as a whole, without detection."""
    codec: str = "match"
    """match (the input's codec), h264, hevc, av1, vp9, prores, dnxhr, ffv1, or an FFmpeg encoder."""
    crf: float | None = Field(default=None, ge=0, le=63)
    """Quality on the codec's own scale; None: visually lossless, with match at most twice the rate."""
    quality: int | None = Field(default=None, ge=1, le=100)
    """Quality of JPEG, WebP, HEIC and AVIF pictures, 1 to 100; None: a JPEG input's own, otherwise high."""
    preset: str | None = None
    """The encoder's preset, such as fast or slow; None: the encoder's default."""
    container: str | None = None
    """mp4, mkv, mov, webm, nut, y4m, rawvideo or another FFmpeg file format; None: by suffix, nut for -."""
    fps: Fraction | None = None
    """Frame rate of the input, if it is an image sequence or raw video, such as 25 or 24000/1001."""
    input_format: InputFormat | None = None
    """Format of the input: y4m, nut or rawvideo; None: by content."""
    pixel_format: str | None = None
    """Pixel format of the input, if it is raw video, such as yuv420p."""
    size: str | None = Field(default=None, pattern=r"^[1-9]\d{0,5}x[1-9]\d{0,5}$")
    """WIDTHxHEIGHT of the input, if it is raw video, such as 1920x1080."""
    max_pixels: int = Field(default=MAX_PIXELS, ge=1, le=2**31 - 1)
    """Largest picture to decode, in pixels. A small file can state a size that fills the memory."""
    hwaccel: HardwareDecoding = "none"
    """Decode the input on an NVIDIA GPU: none, auto (where it can) or cuda (with a warning where not)."""
    strict: bool = False
    """Refuse a damaged input instead of restoring the part that can be decoded."""
    start: float | None = Field(default=None, ge=0, le=LONGEST_SECONDS)
    """Where to start: seconds or HH:MM:SS.mmm from the start of the video."""
    end: float | None = Field(default=None, gt=0, le=LONGEST_SECONDS)
    """Where to stop: seconds or HH:MM:SS.mmm from the start of the video."""
    handles: int = Field(default=0, ge=0, le=100_000)
    """Additional frames before --start and after --end, for trimming in an editor."""
    deinterlace: Deinterlace = "auto"
    """auto (interlaced video stays interlaced), keep (treat as interlaced), bwdif (make progressive)."""
    upscale: Upscale = 1
    """2 or 4: how many times as wide and high the output is. Away from faces it is resampled by Lanczos."""
    compare: Compare = "none"
    """side-by-side: the original on the left and the restored video on the right."""
    mask: str | None = None
    """File for a mask of the changed pixels: .mkv, .nut or .avi, or pictures such as mask/%05d.png."""
    overwrite: bool = False
    """Replace the output if it exists."""

    segment: float | None = Field(default=None, ge=0, le=LONGEST_SECONDS)
    """Segment length in seconds, at least 32 frames; 0: no segments. An interrupted run resumes after the
    last finished segment; None: 60 for videos longer than five minutes or with several workers."""
    workers: int | None = Field(default=None, ge=1, le=1024)
    """Segments to restore at the same time; None: the number of GPUs, at least 1."""
    engine: EngineName = "local"
    """local (processes on this computer) or ray (a Ray cluster)."""
    restart: bool = False
    """Discard the finished segments of an interrupted run and start over."""

    def __init__(self, **values: Unpack[SettingsKeywords]) -> None:
        """Checks the values.

        Args:
            values: Fields and their values; all others have their defaults.

        Raises:
            UsageError: A value is wrong; the message names its field.
        """
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise UsageError(sentence(error, Settings.model_fields)) from error

    @field_validator("*", mode="before")
    @classmethod
    def _plain_text(cls, value: Any) -> Any:
        if isinstance(value, str) and any(unicodedata.category(char) == "Cc" for char in value):
            raise ValueError("control characters are not allowed")
        return value

    _numbers_are_no_booleans = field_validator("*", mode="before")(without_boolean)

    @field_validator("faces", mode="before")
    @classmethod
    def _track_ids(cls, value: Any) -> Any:
        ids = [value] if isinstance(value, int) and not isinstance(value, bool) else value
        if isinstance(ids, list | tuple) and ids and all(type(number) is int for number in ids):
            return ",".join(map(str, ids))
        return value

    @field_validator("start", "end", mode="before")
    @classmethod
    def _clock_time(cls, value: Any) -> Any:
        return parse_time(value) if isinstance(value, str) else value

    @field_validator("fps", mode="before")
    @classmethod
    def _frame_rate(cls, value: Any) -> Any:
        return None if value is None else parse_frame_rate(value)

    def input_options(self) -> dict[str, Any]:
        """The arguments of `video.open_input` besides the path."""
        size = None if self.size is None else tuple(int(side) for side in self.size.split("x"))
        return {
            "fps": self.fps,
            "input_format": self.input_format,
            "pixel_format": self.pixel_format,
            "size": size,
            "max_pixels": self.max_pixels,
            "hwaccel": self.hwaccel,
        }

    def encoding_options(self) -> dict[str, Any]:
        """The arguments of the writers in `video` that choose the container and the encoder."""
        return self.model_dump(include={"container", "codec", "crf", "quality", "preset"})

    def time_range(self, frame_rate: Fraction) -> TimeRange:
        """The part to restore, including handles. `frame_rate` is the video's, in frames per second."""
        around = self.handles / frame_rate if self.handles else 0
        return {
            "start": None if self.start is None else max(float(self.start - around), 0.0),
            "end": None if self.end is None else float(self.end + around),
        }

    @property
    def treatment(self) -> FaceTreatment:
        """Strength, fidelity and grain of a face that the sidecar does not mention."""
        return FaceTreatment(strength=self.strength, fidelity=self.fidelity, grain=self.grain)

    @property
    def network_fidelity(self) -> Fidelity:
        """The fidelity that decides which networks are needed: `auto` if any face needs more than 1 does."""
        named = set() if self.sidecar is None else self.sidecar.fidelities
        return "auto" if self.fidelity == 1 and named - {1.0} else self.fidelity

    @model_validator(mode="after")
    def _fidelities_fit(self) -> Settings:
        if self.fidelity == 0 and self.sidecar is not None and self.sidecar.fidelities:
            raise ValueError("fidelity 0 applies to all faces: remove fidelity from the sidecar")
        return self

    @model_validator(mode="after")
    def _fit_aligned_faces(self) -> Settings:
        defaults = type(self).model_fields
        unfit = [name for name in _NOT_FOR_ALIGNED_FACES if getattr(self, name) != defaults[name].default]
        if self.aligned and unfit:
            raise ValueError(f"these do not apply to aligned faces: {', '.join(unfit)}; leave them out")
        return self

    @model_validator(mode="after")
    def _damage_is_seen(self) -> Settings:
        if self.strict and self.hwaccel != "none":
            raise ValueError("strict needs hwaccel none: a GPU that decodes does not report damaged pictures")
        return self

    @model_validator(mode="after")
    def _end_after_start(self) -> Settings:
        if self.end is not None and self.end <= (self.start or 0.0):
            raise ValueError(f"end ({self.end:g} s) must be after start ({self.start or 0:g} s)")
        return self


def make_settings(config: Path | None = None, **values: Any) -> Settings:
    """Settings from a YAML file and keyword values.

    Args:
        config: A YAML file with names and values; None: no file.
        values: Fields of `Settings`. A value other than None wins over the file.

    Raises:
        UsageError: A value or the file is wrong; the message names it.
    """
    merged: dict[str, Any] = {}
    if config is not None:
        merged.update({str(key).replace("-", "_"): value for key, value in read_yaml(config).items()})
    merged.update({name: value for name, value in values.items() if value is not None})
    if isinstance(sidecar := merged.get("sidecar"), (str, Path)):
        merged["sidecar"] = parse_sidecar(read_yaml(Path(sidecar)), sidecar)
    return Settings(**merged)
