"""Options that several commands share. Their descriptions and defaults come from `Settings`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from vidrestore.settings import Settings
from vidrestore.settings.groups import group_of

MESSAGES = "Messages and reports"
"""Heading of the options for messages, progress and reports."""


def help_text(setting: str) -> str:
    """The setting's description with its default."""
    field = Settings.model_fields[setting]
    text = " ".join((field.description or "").split()).rstrip(".").replace("; None:", ". Default:")
    is_plain = field.default is None or field.default is False  # 0.0 is shown
    return text if is_plain else f"{text}. Default: {field.default}"


def value(setting: str, metavar: str) -> Any:
    """The option of a setting, under the heading of its group."""
    return typer.Option(metavar=metavar, help=help_text(setting), rich_help_panel=group_of(setting))


def switch(setting: str, *flags: str) -> Any:
    """The option of a setting that is on or off; off by default."""
    return typer.Option(
        *flags,
        metavar="",
        help=help_text(setting),
        rich_help_panel=group_of(setting),
        show_default=False,
    )


Model = Annotated[str | None, value("model", "compact|daefr|PATH")]
Detector = Annotated[str | None, value("detector", "NAME[=PATH]")]
Device = Annotated[str | None, value("device", "NAME")]
Precision = Annotated[str | None, value("precision", "auto|float32|bfloat16")]
Compile = Annotated[bool | None, switch("compile", "--compile")]
Batch = Annotated[int | None, value("batch", "N")]
Strength = Annotated[float | None, value("strength", "0..1")]
Fidelity = Annotated[str | None, value("fidelity", "auto|0..1")]
Temporal = Annotated[float | None, value("temporal", "0..1")]
Grain = Annotated[str | None, value("grain", "auto|0..1")]
Deflicker = Annotated[bool | None, switch("deflicker", "--deflicker")]
Faces = Annotated[str | None, value("faces", "WHO")]
Sidecar = Annotated[Path | None, value("sidecar", "FILE")]
MinFace = Annotated[int | None, value("min_face", "PIXELS")]
Aligned = Annotated[bool | None, switch("aligned", "--aligned")]
Codec = Annotated[str | None, value("codec", "NAME")]
Crf = Annotated[float | None, value("crf", "N")]
Quality = Annotated[int | None, value("quality", "1..100")]
Preset = Annotated[str | None, value("preset", "NAME")]
Container = Annotated[str | None, value("container", "NAME")]
Upscale = Annotated[int | None, value("upscale", "2|4")]
Compare = Annotated[str | None, value("compare", "side-by-side")]
Mask = Annotated[str | None, value("mask", "FILE")]
Overwrite = Annotated[bool | None, switch("overwrite", "--overwrite", "-y")]
Fps = Annotated[str | None, value("fps", "N")]
InputFormat = Annotated[str | None, value("input_format", "y4m|nut|rawvideo")]
RawPixelFormat = Annotated[str | None, value("pixel_format", "NAME")]
RawSize = Annotated[str | None, value("size", "WxH")]
MaxPixels = Annotated[int | None, value("max_pixels", "N")]
Hwaccel = Annotated[str | None, value("hwaccel", "none|auto|cuda")]
Strict = Annotated[bool | None, switch("strict", "--strict")]
Start = Annotated[str | None, value("start", "TIME")]
Handles = Annotated[int | None, value("handles", "N")]
End = Annotated[str | None, value("end", "TIME")]
Deinterlace = Annotated[str | None, value("deinterlace", "auto|keep|bwdif")]
Segment = Annotated[float | None, value("segment", "SECONDS")]
Workers = Annotated[int | None, value("workers", "N")]
Engine = Annotated[str | None, value("engine", "local|ray")]
Restart = Annotated[bool | None, switch("restart", "--restart")]
Config = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="YAML file of settings with these names; options override it."),
]
Progress = Annotated[
    str | None,
    typer.Option(
        metavar="json[:N]",
        help="Progress and messages as JSON, one object per line, on standard error or on file descriptor N.",
        rich_help_panel=MESSAGES,
    ),
]
ReportFile = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE",
        help="Write a report as JSON, including how much of each face was drawn.",
        rich_help_panel=MESSAGES,
    ),
]
LogFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Append the arguments, messages, progress and result to FILE, with times of day.",
        rich_help_panel=MESSAGES,
    ),
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet", "-q", metavar="", help="Print errors and warnings only.", rich_help_panel=MESSAGES
    ),
]
