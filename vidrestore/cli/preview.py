"""`vidrestore preview INPUT --at TIME … -o SHEET`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vidrestore.call_arguments import times_of
from vidrestore.cli import options
from vidrestore.cli.options import help_text
from vidrestore.cli.progress import show_progress
from vidrestore.cli.report_file import check_reports, page_report, png_report
from vidrestore.cli.run_files import check_apart, photo_of
from vidrestore.cli.terminal import print_line
from vidrestore.cli.wording import count
from vidrestore.errors import UsageError, shown
from vidrestore.settings import make_settings
from vidrestore.settings.times_and_rates import parse_time

if TYPE_CHECKING:
    from vidrestore.jobs.preview import Variant

EXAMPLES = """\
[bold]Examples[/bold]

vidrestore preview old.mp4 --at 12.5 -o look.html

vidrestore preview old.mp4 --at 12.5 --at 1:30 --fidelity auto,1 --strength 0.6,1 -o look.png

vidrestore preview film.mkv --at 58:40 --start 58:30 -o look.html    (as a run with the same --start)
"""
MADE_BY = "vidrestore preview"
_COMPARED = ("fidelity", "strength", "grain")
_DEFAULT_GRID = {"fidelity": "auto,1", "strength": "1,0.6", "grain": "auto,0.6"}
_SHEET_KINDS = {"html", "png"}


def _list_help(name: str) -> str:
    """The help of a compared setting: its description, and which values are compared."""
    grid = _DEFAULT_GRID[name]
    return f"Values to compare. {help_text(name)}; {grid} if no setting to compare is given"


def preview(
    input: Annotated[Path, typer.Argument(metavar="INPUT", help="The video to show.", show_default=False)],
    at: Annotated[
        list[str],
        typer.Option("--at", metavar="TIME", help="A time to show: seconds or HH:MM:SS.mmm; repeatable."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="SHEET", help="The sheet to write: .html or .png.")
    ],
    fidelity: Annotated[str | None, typer.Option(metavar="LIST", help=_list_help("fidelity"))] = None,
    strength: Annotated[str | None, typer.Option(metavar="LIST", help=_list_help("strength"))] = None,
    grain: Annotated[str | None, typer.Option(metavar="LIST", help=_list_help("grain"))] = None,
    model: options.Model = None,
    detector: options.Detector = None,
    device: options.Device = None,
    temporal: options.Temporal = None,
    deflicker: options.Deflicker = None,
    faces: options.Faces = None,
    sidecar: options.Sidecar = None,
    min_face: options.MinFace = None,
    deinterlace: options.Deinterlace = None,
    fps: options.Fps = None,
    max_pixels: options.MaxPixels = None,
    hwaccel: options.Hwaccel = None,
    start: options.Start = None,
    quiet: options.Quiet = False,
) -> None:
    """Show frames of INPUT before and after, with a grid of settings; equal to the frames of a run."""
    from vidrestore.api import preview as preview_frames

    compared = _compared_values(fidelity=fidelity, strength=strength, grain=grain)
    given: dict[str, Any] = {
        "model": model,
        "detector": detector,
        "device": device,
        "temporal": temporal,
        "deflicker": deflicker,
        "faces": faces,
        "sidecar": sidecar,
        "min_face": min_face,
        "deinterlace": deinterlace,
        "fps": fps,
        "max_pixels": max_pixels,
        "hwaccel": hwaccel,
        "start": start,
    }
    variants = _variants(compared)
    times = times_of([_seconds(time) for time in at])
    kind = output.suffix.lower().removeprefix(".")
    if kind not in _SHEET_KINDS:
        raise UsageError(f"the pictures are written to an .html or .png file, not to {output.name}")
    report = (page_report if kind == "html" else png_report)(output, MADE_BY)
    check_apart({"sheet": output}, (input, sidecar, photo_of(faces)))
    check_reports(report)
    with show_progress(quiet=quiet) as on_progress:
        previews = preview_frames(input, times, variants=variants, on_progress=on_progress, **given)
    commands = [command_for(input, variant, given) for variant in variants]
    if kind == "html":
        from vidrestore.cli.preview_page import render_page

        report.write(render_page(input, previews, commands) + "\n")
    else:
        from vidrestore.cli.preview_picture import render_picture

        report.write(render_picture(input, previews, commands, MADE_BY))
    if not quiet:
        faces_shown = sum(len(shown.faces) for shown in previews)
        print_line(
            f"{count(len(previews), 'frame')} with {count(faces_shown, 'face')}, "
            f"{count(len(variants), 'variant')}: {output}"
        )


def command_for(source: Path, variant: Variant, given: dict[str, Any]) -> str:
    """The command line that restores the whole video with the variant's settings."""
    values = {
        "fidelity": variant.fidelity,
        "strength": f"{variant.strength:g}",
        "grain": variant.grain,
        **{name: value for name, value in given.items() if value is not None},
    }
    target = source.with_name(f"{source.stem}-restored{source.suffix}")
    words = ["vidrestore", "restore", str(source), str(target)]
    for name, value in values.items():
        flag = f"--{name.replace('_', '-')}"
        words += [flag] if value is True else [flag, f"{value:g}" if isinstance(value, float) else str(value)]
    return shlex.join(words)


def _seconds(text: str) -> float:
    """The time of `--at` [s]. Raises UsageError if it is none."""
    try:
        return parse_time(text)
    except ValueError as error:
        raise UsageError(f"--at: {error}, got {shown(text)}") from error


def _compared_values(**lists: str | None) -> dict[str, list[str]]:
    """The values of each compared setting; without any list, those of the default grid."""
    is_plain = all(text is None for text in lists.values())
    return {
        name: (text or (_DEFAULT_GRID[name] if is_plain else _default(name))).split(",")
        for name, text in lists.items()
    }


def _default(name: str) -> str:
    return str(getattr(make_settings(), name))


def _variants(compared: dict[str, list[str]]) -> Sequence[Variant]:
    """All combinations, starting with the first values. Raises UsageError for an invalid value."""
    from vidrestore.jobs.preview import own_variant

    combinations = product(*(compared[name] for name in _COMPARED))
    settings = [make_settings(fidelity=f, strength=s, grain=g) for f, s, g in combinations]
    return tuple(dict.fromkeys(own_variant(each) for each in settings))
