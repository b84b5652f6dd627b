"""Flags that several commands have, each said once. What they mean and their defaults are in settings.py."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vidrestore.settings import Settings


def help_text(setting: str) -> str:
    """The setting's own line, with its default: said once, there."""
    field = Settings.model_fields[setting]
    text = " ".join((field.description or "").split()).rstrip(".").replace("; None:", ". Default:")
    is_plain = field.default is None or field.default is False  # 0.0 is a default like any other
    return text if is_plain else f"{text}. Default: {field.default}"


Model = Annotated[str | None, typer.Option(metavar="compact|daefr|PATH", help=help_text("model"))]
Detector = Annotated[str | None, typer.Option(metavar="NAME[=PATH]", help=help_text("detector"))]
Device = Annotated[str | None, typer.Option(metavar="NAME", help=help_text("device"))]
Strength = Annotated[float | None, typer.Option(metavar="0..1", help=help_text("strength"))]
Fidelity = Annotated[str | None, typer.Option(metavar="auto|0..1", help=help_text("fidelity"))]
Temporal = Annotated[float | None, typer.Option(metavar="0..1", help=help_text("temporal"))]
Grain = Annotated[str | None, typer.Option(metavar="auto|0..1", help=help_text("grain"))]
Deflicker = Annotated[
    bool | None, typer.Option("--deflicker", help=help_text("deflicker"), show_default=False)
]
Faces = Annotated[str | None, typer.Option(metavar="WHO", help=help_text("faces"))]
Sidecar = Annotated[Path | None, typer.Option(metavar="FILE", help=help_text("sidecar"))]
MinFace = Annotated[int | None, typer.Option(metavar="PIXELS", help=help_text("min_face"))]
Codec = Annotated[str | None, typer.Option(metavar="NAME", help=help_text("codec"))]
Crf = Annotated[float | None, typer.Option(metavar="N", help=help_text("crf"))]
Quality = Annotated[int | None, typer.Option(metavar="1..100", help=help_text("quality"))]
Preset = Annotated[str | None, typer.Option(metavar="NAME", help=help_text("preset"))]
Fps = Annotated[str | None, typer.Option(metavar="N", help=help_text("fps"))]
MaxPixels = Annotated[int | None, typer.Option(metavar="N", help=help_text("max_pixels"))]
ReportFile = Annotated[
    Path | None,
    typer.Option(
        "--report", metavar="FILE", help="Write what was done as JSON, faces' drawn shares included."
    ),
]
Strict = Annotated[bool | None, typer.Option("--strict", help=help_text("strict"), show_default=False)]
Start = Annotated[str | None, typer.Option(metavar="TIME", help=help_text("start"))]
End = Annotated[str | None, typer.Option(metavar="TIME", help=help_text("end"))]
Deinterlace = Annotated[str | None, typer.Option(metavar="auto|keep|bwdif", help=help_text("deinterlace"))]
Segment = Annotated[float | None, typer.Option(metavar="SECONDS", help=help_text("segment"))]
Workers = Annotated[int | None, typer.Option(metavar="N", help=help_text("workers"))]
Engine = Annotated[str | None, typer.Option(metavar="local|ray", help=help_text("engine"))]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors and warnings only.")]
