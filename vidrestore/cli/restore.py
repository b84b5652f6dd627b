"""`vidrestore restore INPUT OUTPUT`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vidrestore.cli import options
from vidrestore.cli.options import help_text
from vidrestore.cli.progress import show_progress
from vidrestore.cli.report_file import ReportFile
from vidrestore.cli.run_report import run_report, run_report_json
from vidrestore.cli.terminal import print_line, print_message, print_result
from vidrestore.cli.wording import count, drawn_tracks
from vidrestore.settings import make_settings

if TYPE_CHECKING:
    from vidrestore.types import Report

EXAMPLES = """\
[bold]Examples[/bold]

vidrestore restore old.mp4 new.mp4

vidrestore restore old.mkv new.mkv --strength 0.7 --codec hevc --crf 16

vidrestore restore tape.mov cut.mov --start 00:01:30 --end 00:02:00.5 --codec prores

vidrestore restore shots/%05d.png restored/%05d.png

vidrestore restore shots/%05d.exr new.mov --fps 24000/1001 --codec prores

ffmpeg -i old.mp4 -f nut -c copy -c:v rawvideo - | vidrestore restore - - | ffmpeg -i - new.mkv

vidrestore restore old.mp4 compared.mp4 --compare side-by-side --overwrite

vidrestore restore film.mkv new.mkv --workers 2

vidrestore restore film.mkv new.mkv --faces like:photo.jpg

vidrestore restore old.mp4 new.mp4 --config configs/restore/film.yaml

[bold]Exit codes[/bold]

0 done; 2 arguments or input cannot be used; 1 the work failed; 3 done, but more than one frame in a hundred \
of the input was lost or damaged; 130 interrupted
"""
MUCH_DAMAGE = 0.01
"""Share of the input's frames above which the exit code says that it was damaged."""
DAMAGED = 3
_NOT_IN_PIPE = {
    "config", "codec", "crf", "quality", "preset", "container", "fps", "input_format", "pixel_format", "size",
    "overwrite", "segment", "workers", "engine", "restart",
}  # fmt: skip
"""Settings that ffmpeg's own command lines say, or that have no meaning in a pipe."""


def restore(
    input: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT",
            help="The video or picture to restore; shots/%05d.png for a sequence; - for standard input.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path,
        typer.Argument(
            metavar="OUTPUT",
            help="Where the result goes; shots/%05d.png for a sequence; - for standard output.",
            show_default=False,
        ),
    ],
    model: options.Model = None,
    detector: options.Detector = None,
    device: options.Device = None,
    strength: options.Strength = None,
    fidelity: options.Fidelity = None,
    temporal: options.Temporal = None,
    grain: options.Grain = None,
    deflicker: options.Deflicker = None,
    faces: options.Faces = None,
    sidecar: options.Sidecar = None,
    min_face: options.MinFace = None,
    batch: Annotated[int | None, typer.Option(metavar="N", help=help_text("batch"))] = None,
    codec: options.Codec = None,
    crf: options.Crf = None,
    quality: options.Quality = None,
    preset: options.Preset = None,
    container: Annotated[str | None, typer.Option(metavar="NAME", help=help_text("container"))] = None,
    fps: options.Fps = None,
    input_format: Annotated[
        str | None, typer.Option(metavar="y4m|nut|rawvideo", help=help_text("input_format"))
    ] = None,
    pixel_format: Annotated[str | None, typer.Option(metavar="NAME", help=help_text("pixel_format"))] = None,
    size: Annotated[str | None, typer.Option(metavar="WxH", help=help_text("size"))] = None,
    max_pixels: options.MaxPixels = None,
    strict: options.Strict = None,
    start: options.Start = None,
    end: options.End = None,
    deinterlace: options.Deinterlace = None,
    compare: Annotated[str | None, typer.Option(metavar="side-by-side", help=help_text("compare"))] = None,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="YAML of these names; flags win over it."),
    ] = None,
    segment: options.Segment = None,
    workers: options.Workers = None,
    engine: options.Engine = None,
    restart: Annotated[
        bool | None, typer.Option("--restart", help=help_text("restart"), show_default=False)
    ] = None,
    overwrite: Annotated[
        bool | None, typer.Option("--overwrite", "-y", help=help_text("overwrite"), show_default=False)
    ] = None,
    print_ffmpeg: Annotated[
        bool,
        typer.Option("--print-ffmpeg", help="Print ffmpeg's command lines around a pipe; restore nothing."),
    ] = False,
    report_file: options.ReportFile = None,
    quiet: options.Quiet = False,
) -> None:
    """Restore the faces in INPUT and write the video to OUTPUT; its sound is copied as it is."""
    from vidrestore.api import restore as restore_video

    settings: dict[str, Any] = {
        "config": config,
        "model": model,
        "detector": detector,
        "device": device,
        "strength": strength,
        "fidelity": fidelity,
        "temporal": temporal,
        "grain": grain,
        "deflicker": deflicker,
        "faces": faces,
        "sidecar": sidecar,
        "min_face": min_face,
        "batch": batch,
        "codec": codec,
        "crf": crf,
        "quality": quality,
        "preset": preset,
        "container": container,
        "fps": fps,
        "input_format": input_format,
        "pixel_format": pixel_format,
        "size": size,
        "max_pixels": max_pixels,
        "strict": strict,
        "start": start,
        "end": end,
        "deinterlace": deinterlace,
        "compare": compare,
        "segment": segment,
        "workers": workers,
        "engine": engine,
        "restart": restart,
        "overwrite": overwrite,
    }
    if print_ffmpeg:
        from vidrestore.video import ffmpeg_pipeline

        print_result(ffmpeg_pipeline(input, output, make_settings(**settings), _flags(settings)))
        return
    file = run_report(report_file, input, output)
    with show_progress(quiet=quiet) as on_progress:
        report = restore_video(input, output, on_progress=on_progress, **settings)
    print_report(report, file, quiet=quiet)


def print_report(report: Report, file: ReportFile | None = None, *, quiet: bool) -> None:
    """Warnings, the closing line, the report as a file, and the exit code of a damaged input."""
    for sentence in report.people:
        print_message(f"vidrestore: {sentence}")
    for warning in report.warnings:
        print_message(f"vidrestore: warning: {warning}")
    if not quiet:
        # Standard output is the video's own where that goes there.
        (print_message if str(report.output) == "-" else print_line)(closing_line(report))
    if file is not None:
        file.write(run_report_json(report))
    if report.damage > MUCH_DAMAGE:
        raise typer.Exit(DAMAGED)


def _flags(settings: dict[str, Any]) -> list[str]:
    """The command line's words for settings, less those that concern the files at both ends."""
    words = []
    for name, value in settings.items():
        if value is not None and name not in _NOT_IN_PIPE:
            flag = f"--{name.replace('_', '-')}"
            words += [flag] if value is True else [flag, str(value)]
    return words


def closing_line(report: Report) -> str:
    """What was done, what was not, and where it is."""
    rate = report.frames / report.seconds if report.seconds > 0 else 0.0
    drawn = drawn_tracks(report.drawn)
    return (
        f"{count(report.frames, 'frame')}, {count(report.faces, 'face')} of "
        f"{count(report.tracks, 'track')} restored in {report.seconds:.1f} s ({rate:.1f} frames/s), "
        f"{count(report.lost_frames, 'frame')} lost, {count(len(report.warnings), 'warning')}"
        f"{drawn and f', {drawn}'}: "
        f"{report.output}"
    )
