"""Flags that several commands have, each said once. What they mean and their defaults are in settings.py."""

from __future__ import annotations

from typing import Annotated

import typer

from vidrestore.settings import Settings


def about(setting: str) -> str:
    """The setting's own line, with its default: said once, there."""
    field = Settings.model_fields[setting]
    text = " ".join((field.description or "").split()).rstrip(".").replace("; None:", ". Default:")
    return text if field.default in (None, False) else f"{text}. Default: {field.default}"


Model = Annotated[str | None, typer.Option(metavar="compact|daefr|PATH", help=about("model"))]
Detector = Annotated[str | None, typer.Option(metavar="NAME[=PATH]", help=about("detector"))]
Device = Annotated[str | None, typer.Option(metavar="NAME", help=about("device"))]
Strength = Annotated[float | None, typer.Option(metavar="0..1", help=about("strength"))]
Fidelity = Annotated[float | None, typer.Option(metavar="0..1", help=about("fidelity"))]
Temporal = Annotated[float | None, typer.Option(metavar="0..1", help=about("temporal"))]
Grain = Annotated[float | None, typer.Option(metavar="0..1", help=about("grain"))]
Deflicker = Annotated[bool | None, typer.Option("--deflicker", help=about("deflicker"), show_default=False)]
Faces = Annotated[str | None, typer.Option(metavar="all|largest|ID,ID", help=about("faces"))]
MinFace = Annotated[int | None, typer.Option(metavar="PIXELS", help=about("min_face"))]
Codec = Annotated[str | None, typer.Option(metavar="NAME", help=about("codec"))]
Crf = Annotated[float | None, typer.Option(metavar="N", help=about("crf"))]
Preset = Annotated[str | None, typer.Option(metavar="NAME", help=about("preset"))]
Fps = Annotated[str | None, typer.Option(metavar="N", help=about("fps"))]
Strict = Annotated[bool | None, typer.Option("--strict", help=about("strict"), show_default=False)]
Start = Annotated[str | None, typer.Option(metavar="TIME", help=about("start"))]
End = Annotated[str | None, typer.Option(metavar="TIME", help=about("end"))]
Deinterlace = Annotated[str | None, typer.Option(metavar="auto|keep|bwdif", help=about("deinterlace"))]
Segment = Annotated[float | None, typer.Option(metavar="SECONDS", help=about("segment"))]
Workers = Annotated[int | None, typer.Option(metavar="N", help=about("workers"))]
Engine = Annotated[str | None, typer.Option(metavar="local|ray", help=about("engine"))]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors and warnings only.")]
