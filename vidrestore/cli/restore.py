"""`vidrestore restore INPUT OUTPUT`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidrestore.cli.progress import show_progress
from vidrestore.settings import Settings

if TYPE_CHECKING:
    from vidrestore.types import Report

EXAMPLES = """\
[bold]Examples[/bold]

vidrestore restore old.mp4 new.mp4

vidrestore restore old.mkv new.mkv --strength 0.7 --codec libx265 --crf 16

vidrestore restore tape.mov cut.mov --start 00:01:30 --end 00:02:00.5 --codec prores_ks

vidrestore restore old.mp4 compared.mp4 --compare side-by-side --overwrite

vidrestore restore old.mp4 new.mp4 --config configs/restore/film.yaml
"""


def about(setting: str) -> str:
    """The setting's own line, with its default: said once, in settings.py."""
    field = Settings.model_fields[setting]
    text = " ".join((field.description or "").split()).rstrip(".").replace("; None:", ". Default:")
    return text if field.default in (None, False) else f"{text}. Default: {field.default}"


def restore(
    input: Annotated[Path, typer.Argument(metavar="INPUT", help="The video to restore.", show_default=False)],
    output: Annotated[
        Path, typer.Argument(metavar="OUTPUT", help="Where the result goes.", show_default=False)
    ],
    model: Annotated[str | None, typer.Option(metavar="compact|daefr|PATH", help=about("model"))] = None,
    detector: Annotated[str | None, typer.Option(metavar="NAME[=PATH]", help=about("detector"))] = None,
    device: Annotated[str | None, typer.Option(metavar="NAME", help=about("device"))] = None,
    strength: Annotated[float | None, typer.Option(metavar="0..1", help=about("strength"))] = None,
    fidelity: Annotated[float | None, typer.Option(metavar="0..1", help=about("fidelity"))] = None,
    temporal: Annotated[float | None, typer.Option(metavar="0..1", help=about("temporal"))] = None,
    deflicker: Annotated[
        bool | None, typer.Option("--deflicker", help=about("deflicker"), show_default=False)
    ] = None,
    faces: Annotated[str | None, typer.Option(metavar="all|largest|ID,ID", help=about("faces"))] = None,
    min_face: Annotated[int | None, typer.Option(metavar="PIXELS", help=about("min_face"))] = None,
    batch: Annotated[int | None, typer.Option(metavar="N", help=about("batch"))] = None,
    codec: Annotated[str | None, typer.Option(metavar="NAME", help=about("codec"))] = None,
    crf: Annotated[float | None, typer.Option(metavar="N", help=about("crf"))] = None,
    preset: Annotated[str | None, typer.Option(metavar="NAME", help=about("preset"))] = None,
    start: Annotated[str | None, typer.Option(metavar="TIME", help=about("start"))] = None,
    end: Annotated[str | None, typer.Option(metavar="TIME", help=about("end"))] = None,
    deinterlace: Annotated[
        str | None, typer.Option(metavar="auto|keep|bwdif", help=about("deinterlace"))
    ] = None,
    compare: Annotated[str | None, typer.Option(metavar="side-by-side", help=about("compare"))] = None,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="YAML of these names; flags win over it."),
    ] = None,
    overwrite: Annotated[
        bool | None, typer.Option("--overwrite", "-y", help=about("overwrite"), show_default=False)
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors and warnings only.")] = False,
) -> None:
    """Restore the faces in INPUT and write the video to OUTPUT; its sound is copied as it is."""
    from vidrestore.api import restore as restore_video

    with show_progress(quiet=quiet) as on_progress:
        report = restore_video(
            input,
            output,
            config=config,
            on_progress=on_progress,
            model=model,
            detector=detector,
            device=device,
            strength=strength,
            fidelity=fidelity,
            temporal=temporal,
            deflicker=deflicker,
            faces=faces,
            min_face=min_face,
            batch=batch,
            codec=codec,
            crf=crf,
            preset=preset,
            start=start,
            end=end,
            deinterlace=deinterlace,
            compare=compare,
            overwrite=overwrite,
        )
    for warning in report.warnings:
        print(f"vidrestore: warning: {warning}", file=sys.stderr)
    if not quiet:
        print(closing_line(report))


def closing_line(report: Report) -> str:
    """What was done, what was not, and where it is."""
    rate = report.frames / report.seconds if report.seconds > 0 else 0.0
    return (
        f"{_count(report.frames, 'frame')}, {_count(report.faces, 'face')} of "
        f"{_count(report.tracks, 'track')} restored in {report.seconds:.1f} s ({rate:.1f} frames/s), "
        f"{_count(report.lost_frames, 'frame')} lost, {_count(len(report.warnings), 'warning')}: "
        f"{report.output}"
    )


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"
