"""What a user can choose: the same names on the command line, in YAML and as keyword arguments."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from vidrestore.errors import UsageError

Deinterlace = Literal["auto", "keep", "bwdif"]
Compare = Literal["none", "side-by-side"]
DetectorName = Literal["cascade", "retinaface_mobile0.25", "retinaface_resnet50"]


class Settings(BaseModel):
    """How a video is restored. Unknown names are refused; values are checked before work starts."""

    # The line under each field is its help, on the command line too.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    model: str = "compact"
    """compact (embedded), daefr (the authors' 512-pixel checkpoint), or a path to weights."""
    detector: str = "cascade"
    """cascade (embedded), retinaface_mobile0.25 or retinaface_resnet50, the last two also with =PATH."""
    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    """auto, cpu, cuda, cuda:N or mps."""
    batch: int | None = Field(default=None, ge=1, le=256)
    """Faces a forward pass; None: chosen by the device."""
    strength: float = Field(default=1.0, ge=0, le=1)
    """How much of the restored face is laid over the original, 0 to 1."""
    fidelity: float | None = Field(default=None, ge=0, le=1)
    """How much of the degraded face's own detail is kept, 0 to 1; None: 1 where the model can."""
    temporal: float = Field(default=1.0, ge=0, le=1)
    """How strongly a face is blended with itself in the frames around, 0 to 1; 0 restores each alone."""
    deflicker: bool = False
    """Take the pumping of old film's exposure out of each face."""
    faces: str = Field(default="all", pattern=r"^(all|largest|\d+(,\d+)*)$")
    """all, largest, or the ids of tracks as `vidrestore inspect` numbers them, such as 0,2."""
    min_face: int = Field(default=24, ge=8)
    """Faces with a smaller box than this, in pixels, are left alone."""
    codec: str = "libx264"
    """FFmpeg's name of the video encoder, such as libx264, libx265, libsvtav1, prores_ks, ffv1."""
    crf: float | None = Field(default=None, ge=0, le=63)
    """Quality in the codec's own terms; None: visually lossless for the codec."""
    preset: str | None = None
    """The codec's own preset, such as fast or slow; None: the codec's default."""
    start: float | None = Field(default=None, ge=0)
    """Where to begin: seconds or HH:MM:SS.mmm from the beginning of the video."""
    end: float | None = Field(default=None, gt=0)
    """Where to stop: seconds or HH:MM:SS.mmm from the beginning of the video."""
    deinterlace: Deinterlace = "auto"
    """auto (interlaced video stays so, restored by fields), keep (take it for such), bwdif (progressive)."""
    compare: Compare = "none"
    """side-by-side: the original on the left, the restored video on the right."""
    overwrite: bool = False
    """Replace the output if it is there already."""

    @field_validator("start", "end", mode="before")
    @classmethod
    def _clock_time(cls, value: Any) -> Any:
        return _seconds(value) if isinstance(value, str) else value

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
        merged.update(_read_yaml(config))
    merged.update({name: value for name, value in values.items() if value is not None})
    try:
        return Settings(**merged)
    except ValidationError as error:
        raise UsageError(_sentence(error)) from error


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
    except ValueError:
        raise ValueError("a time is written as seconds (12.5) or HH:MM:SS.mmm (00:01:30.250)") from None


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the configuration {path}: {error}") from error
    except yaml.YAMLError as error:
        raise UsageError(f"{path} is not valid YAML: {error}".replace("\n", " ")) from error
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise UsageError(f"{path} must hold names and values, such as 'strength: 0.8'")
    return {str(key).replace("-", "_"): value for key, value in loaded.items()}


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = ", ".join(sorted(Settings.model_fields))
        return f"there is no setting '{name}'; there are: {known}"
    if first["type"] == "string_pattern_mismatch":
        allowed = (Settings.model_fields[name].description or "").rstrip(".")
        return f"{name} must be {allowed}, got {first['input']!r}"
    message = first["msg"].removeprefix("Value error, ")
    return f"{name}: {message}, got {first['input']!r}" if name else message
