"""What a user can choose: the same names on the command line, in YAML and as keyword arguments."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict, Unpack

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from vidrestore.errors import UsageError
from vidrestore.settings_keywords import (
    Compare,
    Deinterlace,
    EngineName,
    InputFormat,
    Precision,
    SettingsKeywords,
)
from vidrestore.settings_sentences import sentence
from vidrestore.sidecar import FaceTreatment, Sidecar, parse_sidecar

MAX_PIXELS = 64_000_000
"""Of a picture, by default: 8K video and nearly all cameras' photos have fewer."""
LONGEST_SECONDS = 1e8
"""Three years: times of videos lie below."""
Fidelity = Annotated[float, Field(ge=0, le=1)] | Literal["auto"]
Grain = Annotated[float, Field(ge=0, le=1)] | Literal["auto"]
DetectorName = Literal["embedded", "retinaface_mobile0.25", "retinaface_resnet50"]

_OF_WHOLE_PICTURES = (
    "detector", "temporal", "grain", "deflicker", "faces", "sidecar", "min_face", "deinterlace", "compare",
    "mask", "segment",
)  # fmt: skip
"""Settings that say nothing of aligned faces."""
_MAX_YAML_BYTES = 256_000
_RATE = re.compile(r"\d{1,9}(\.\d{1,9})?|\d{1,9}/\d{1,9}")


class TimeRange(TypedDict):
    """Where a part of a video begins and ends [seconds from its beginning]; None: where the video does."""

    start: float | None
    end: float | None


class Settings(BaseModel):
    """How a video is restored. Unknown names are refused; values are checked before work starts."""

    # The line under each field is its help, on the command line too.
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
    """Arithmetic of the networks: auto (what is fast on the device), float32 or bfloat16."""
    batch: int | None = Field(default=None, ge=1, le=256)
    """Faces per forward pass; None: chosen by the device."""
    strength: float = Field(default=1.0, ge=0, le=1)
    """Weight of the restored face against the original, 0 to 1."""
    fidelity: Fidelity = "auto"
    """auto draws only what the footage does not show; 0 draws whole faces, 1 draws nothing, 0.5 is auto."""
    temporal: float = Field(default=1.0, ge=0, le=1)
    """How strongly a face is averaged with neighbouring frames, 0 to 1; 0 restores each frame alone."""
    grain: Grain = "auto"
    """Share of the picture's own grain that stays on restored faces, 0 to 1, or auto."""
    deflicker: bool = False
    """Stabilise the brightness of each face over time."""
    faces: str = Field(
        default="all", pattern=r"^(all|largest|none|(not:)?p?\d{1,9}(,p?\d{1,9})*|like:[^\x00]{1,4096})$"
    )
    """all, largest, none, tracks and people as `vidrestore inspect` numbers them (0,2,p1), all but these
    (not:0,p1), or the person in a photo (like:photo.jpg)."""
    sidecar: Sidecar | None = None
    """The video's sidecar, a YAML file by `vidrestore inspect --sidecar`: settings of scenes and people."""
    min_face: int = Field(default=24, ge=8, le=100_000)
    """Faces with a smaller box than this, in pixels, are left alone."""
    aligned: bool = False
    """Each picture is one aligned face: it is restored as a whole and by itself, without detection."""
    codec: str = "match"
    """match (like the input's), h264, hevc, av1, vp9, prores, dnxhr, ffv1, or FFmpeg's name of an encoder."""
    crf: float | None = Field(default=None, ge=0, le=63)
    """Quality in the codec's own terms; None: visually lossless, at most twice the input's rate by match."""
    quality: int | None = Field(default=None, ge=1, le=100)
    """Quality of JPEG, WebP, HEIC and AVIF pictures, 1 to 100; None: as a JPEG input's, else high."""
    preset: str | None = None
    """The codec's own preset, such as fast or slow; None: the codec's default."""
    container: str | None = None
    """mp4, mkv, mov, webm, nut, y4m, rawvideo or another of FFmpeg's; None: as OUTPUT ends, nut for -."""
    fps: Fraction | None = None
    """Frame rate of an image sequence or raw video as input, such as 25 or 24000/1001."""
    input_format: InputFormat | None = None
    """y4m, nut or rawvideo; None: by content."""
    pixel_format: str | None = None
    """FFmpeg's pixel format of a raw video as input, such as yuv420p."""
    size: str | None = Field(default=None, pattern=r"^[1-9]\d{0,5}x[1-9]\d{0,5}$")
    """WIDTHxHEIGHT of a raw video as input, such as 1920x1080."""
    max_pixels: int = Field(default=MAX_PIXELS, ge=1, le=2**31 - 1)
    """Pictures of more pixels are refused: a small file can state a size that fills the memory."""
    strict: bool = False
    """Refuse a damaged input instead of restoring the part that can be decoded."""
    start: float | None = Field(default=None, ge=0, le=LONGEST_SECONDS)
    """Where to begin: seconds or HH:MM:SS.mmm from the beginning of the video."""
    end: float | None = Field(default=None, gt=0, le=LONGEST_SECONDS)
    """Where to stop: seconds or HH:MM:SS.mmm from the beginning of the video."""
    handles: int = Field(default=0, ge=0, le=100_000)
    """Frames to restore as well before --start and behind --end, for the cut in an editor."""
    deinterlace: Deinterlace = "auto"
    """auto (interlaced video stays interlaced), keep (treat as interlaced), bwdif (make progressive)."""
    compare: Compare = "none"
    """side-by-side: the original on the left, the restored video on the right."""
    mask: str | None = None
    """A file for a mask of what was changed: .mkv, .nut or .avi, or pictures such as mask/%05d.png."""
    overwrite: bool = False
    """Replace the output if it exists already."""

    segment: float | None = Field(default=None, ge=0, le=LONGEST_SECONDS)
    """Segment length in seconds, at least 32 frames; an interrupted run resumes at the last finished
    segment; 0: no segments; None: 60 if the video is longer than five minutes or there are several
    workers."""
    workers: int | None = Field(default=None, ge=1, le=1024)
    """Segments restored at the same time; None: as many as there are GPUs, or 1."""
    engine: EngineName = "local"
    """local (processes on this computer) or ray (a Ray cluster)."""
    restart: bool = False
    """Discard what an interrupted run has finished and start over."""

    def __init__(self, **values: Unpack[SettingsKeywords]) -> None:
        """Checked settings. Raises UsageError with one sentence that names the field."""
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise UsageError(sentence(error, Settings.model_fields)) from error

    @field_validator("*", mode="before")
    @classmethod
    def _plain_text(cls, value: Any) -> Any:
        if isinstance(value, str) and any(unicodedata.category(char) == "Cc" for char in value):
            raise ValueError("there must be no control characters in it")
        return value

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
        return _seconds(value) if isinstance(value, str) else value

    @field_validator("fps", mode="before")
    @classmethod
    def _frame_rate(cls, value: Any) -> Any:
        return None if value is None else _rate(value)

    def input_options(self) -> dict[str, Any]:
        """What says how the input is read, as `video.open_input` takes it."""
        size = None if self.size is None else tuple(int(side) for side in self.size.split("x"))
        return {
            "fps": self.fps,
            "input_format": self.input_format,
            "pixel_format": self.pixel_format,
            "size": size,
            "max_pixels": self.max_pixels,
        }

    def encoding_options(self) -> dict[str, Any]:
        """What says how frames are encoded, as the writers of `video` take it."""
        return self.model_dump(include={"container", "codec", "crf", "quality", "preset"})

    def time_range(self, frame_rate: Fraction) -> TimeRange:
        """The part to restore, handles included, of a video of `frame_rate` frames a second."""
        around = self.handles / frame_rate if self.handles else 0
        return {
            "start": None if self.start is None else max(float(self.start - around), 0.0),
            "end": None if self.end is None else float(self.end + around),
        }

    @property
    def treatment(self) -> FaceTreatment:
        """How a face is restored of which the sidecar says nothing."""
        return FaceTreatment(strength=self.strength, fidelity=self.fidelity, grain=self.grain)

    @property
    def network_fidelity(self) -> Fidelity:
        """The fidelity by which networks are chosen: those of all faces."""
        named = set() if self.sidecar is None else self.sidecar.fidelities
        return "auto" if self.fidelity == 1 and named - {1.0} else self.fidelity

    @model_validator(mode="after")
    def _fidelities_fit(self) -> Settings:
        if self.fidelity == 0 and self.sidecar is not None and self.sidecar.fidelities:
            raise ValueError("fidelity 0 is for all faces alike: take fidelities out of the sidecar")
        return self

    @model_validator(mode="after")
    def _fit_aligned_faces(self) -> Settings:
        defaults = type(self).model_fields
        unfit = [name for name in _OF_WHOLE_PICTURES if getattr(self, name) != defaults[name].default]
        if self.aligned and unfit:
            raise ValueError(
                f"aligned faces are restored one by one, without detection: leave out {', '.join(unfit)}"
            )
        return self

    @model_validator(mode="after")
    def _end_after_start(self) -> Settings:
        if self.end is not None and self.end <= (self.start or 0.0):
            raise ValueError(f"end ({self.end:g} s) must be after start ({self.start or 0:g} s)")
        return self


def make_settings(config: Path | None = None, **values: Any) -> Settings:
    """Settings from a YAML file and keyword values; a value that is not None wins over the file.

    Raises UsageError with one sentence that names the field.
    """
    merged: dict[str, Any] = {}
    if config is not None:
        merged.update({str(key).replace("-", "_"): value for key, value in read_yaml(config).items()})
    merged.update({name: value for name, value in values.items() if value is not None})
    if isinstance(sidecar := merged.get("sidecar"), (str, Path)):
        merged["sidecar"] = parse_sidecar(read_yaml(Path(sidecar)), sidecar)
    return Settings(**merged)


def _seconds(text: str) -> float:
    """12.5, 1:30, 01:02:03.5 -> seconds, as ffmpeg reads times."""
    *clock, seconds = text.strip().split(":")
    whole = [part for part in clock if part.isdigit() and part.isascii()]
    try:
        if len(clock) > 2 or whole != clock or (clock and not 0 <= float(seconds) < 60):
            raise ValueError
        minutes = 0
        for part in clock:
            minutes = minutes * 60 + int(part)
        return minutes * 60 + float(seconds)
    except (ValueError, OverflowError):
        raise ValueError("a time is written as seconds (12.5) or HH:MM:SS.mmm (00:01:30.250)") from None


def _rate(value: Any) -> Fraction:
    """25, 24000/1001; 23.976, 29.97 and 59.94 are what they stand for."""
    text = str(value)
    try:
        if not _RATE.fullmatch(text):
            raise ValueError
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise ValueError("a rate is written as 25, 29.97 or 24000/1001") from None
    broadcast = Fraction(round(rate * Fraction(1001, 1000)) * 1000, 1001)
    if rate.denominator > 1 and abs(rate - broadcast) < Fraction(1, 1000):
        rate = broadcast
    if not 0 < rate <= 1000:
        raise ValueError("a rate lies above 0 and is at most 1000 frames a second")
    return rate


def read_yaml(path: Path) -> dict[Any, Any]:
    """The names and values in a YAML file, none where it is empty.

    Raises:
        UsageError: it cannot be read, or holds something else.
    """
    try:
        with path.open("rb") as file:  # not necessarily of this size, or of any: it may be a pipe
            content = file.read(_MAX_YAML_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read the configuration {path}: {error.strerror or error}") from error
    if len(content) > _MAX_YAML_BYTES:
        raise UsageError(f"{path} is no configuration: it is larger than {_MAX_YAML_BYTES // 1000} kB")
    try:
        loaded = yaml.safe_load(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise UsageError(f"the configuration {path} is not text in UTF-8") from error
    except RecursionError as error:
        raise UsageError(f"{path} is no configuration: its values are nested too deeply") from error
    except Exception as error:  # such as a date that no calendar has
        raise UsageError(f"{path} is not valid YAML: {error}".replace("\n", " ")) from error
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise UsageError(f"{path} must hold names and values, such as 'strength: 0.8'")
    return loaded
