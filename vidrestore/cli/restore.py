"""`vidrestore restore INPUT OUTPUT`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from vidrestore.cli import options
from vidrestore.cli.run_files import photo_of
from vidrestore.cli.run_session import RunOutput, run_session
from vidrestore.cli.terminal import print_result, printable
from vidrestore.settings import make_settings

EXAMPLES = """\
[bold]Examples[/bold]

vidrestore restore old.mp4 new.mp4

vidrestore restore old.mkv new.mkv --strength 0.7 --codec hevc --crf 16

vidrestore restore tape.mov cut.mov --start 00:01:30 --end 00:02:00.5 --codec prores

vidrestore restore shots/%05d.png restored/%05d.png

vidrestore restore shots/%05d.exr new.mov --fps 24000/1001 --codec prores

ffmpeg -i old.mp4 -f nut -c copy -c:v rawvideo - | vidrestore restore - - | ffmpeg -i - new.mkv

vidrestore restore old.mp4 large.mp4 --upscale 2

vidrestore restore old.mp4 compared.mp4 --compare side-by-side --overwrite

vidrestore restore film.mkv new.mkv --workers 2

vidrestore restore film.mkv new.mkv --faces like:photo.jpg

vidrestore restore faces restored_faces --aligned --fidelity 0

vidrestore restore old.mp4 new.mp4 --config configs/restore/film.yaml

[bold]Exit codes[/bold]

0 done; 1 the work failed; 2 arguments or input cannot be used; 3 done, but more than 1 % of the input's \
frames were lost or damaged; 130 interrupted
"""
_NOT_IN_PIPE = {
    "config", "codec", "crf", "quality", "preset", "container", "fps", "input_format", "pixel_format", "size",
    "overwrite", "segment", "workers", "engine", "restart",
}  # fmt: skip
"""Settings that ffmpeg's own command lines contain, or that have no meaning in a pipe."""


def restore(
    input: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT",
            help="The video or picture to restore; shots/%05d.png for a sequence; - for standard input; with "
            "--aligned also a folder of pictures.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path,
        typer.Argument(
            metavar="OUTPUT",
            help="The result; shots/%05d.png for a sequence; - for standard output; a folder for a folder.",
            show_default=False,
        ),
    ],
    config: options.Config = None,
    strength: options.Strength = None,
    fidelity: options.Fidelity = None,
    temporal: options.Temporal = None,
    grain: options.Grain = None,
    deflicker: options.Deflicker = None,
    faces: options.Faces = None,
    sidecar: options.Sidecar = None,
    min_face: options.MinFace = None,
    aligned: options.Aligned = None,
    codec: options.Codec = None,
    crf: options.Crf = None,
    quality: options.Quality = None,
    preset: options.Preset = None,
    container: options.Container = None,
    upscale: options.Upscale = None,
    compare: options.Compare = None,
    mask: options.Mask = None,
    overwrite: options.Overwrite = None,
    start: options.Start = None,
    end: options.End = None,
    handles: options.Handles = None,
    fps: options.Fps = None,
    deinterlace: options.Deinterlace = None,
    input_format: options.InputFormat = None,
    pixel_format: options.RawPixelFormat = None,
    size: options.RawSize = None,
    max_pixels: options.MaxPixels = None,
    hwaccel: options.Hwaccel = None,
    strict: options.Strict = None,
    segment: options.Segment = None,
    workers: options.Workers = None,
    engine: options.Engine = None,
    restart: options.Restart = None,
    model: options.Model = None,
    detector: options.Detector = None,
    device: options.Device = None,
    precision: options.Precision = None,
    compile_networks: options.Compile = None,
    batch: options.Batch = None,
    progress: options.Progress = None,
    report_file: options.ReportFile = None,
    log_file: options.LogFile = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            metavar="",
            help="Restore three short samples and estimate time and size of the run; write no output.",
            rich_help_panel=options.MESSAGES,
        ),
    ] = False,
    print_ffmpeg: Annotated[
        bool,
        typer.Option(
            "--print-ffmpeg",
            metavar="",
            help="Print ffmpeg's command lines around a pipe; restore nothing.",
            rich_help_panel=options.MESSAGES,
        ),
    ] = False,
    quiet: options.Quiet = False,
) -> None:
    """Restore the faces in INPUT and write the video to OUTPUT; sound is copied unchanged."""
    from vidrestore.api import restore as restore_video

    settings: dict[str, Any] = {
        "config": config,
        "model": model,
        "detector": detector,
        "device": device,
        "precision": precision,
        "compile": compile_networks,
        "strength": strength,
        "fidelity": fidelity,
        "temporal": temporal,
        "grain": grain,
        "deflicker": deflicker,
        "faces": faces,
        "sidecar": sidecar,
        "min_face": min_face,
        "aligned": aligned,
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
        "hwaccel": hwaccel,
        "strict": strict,
        "start": start,
        "end": end,
        "handles": handles,
        "deinterlace": deinterlace,
        "upscale": upscale,
        "compare": compare,
        "segment": segment,
        "workers": workers,
        "engine": engine,
        "restart": restart,
        "mask": mask,
        "overwrite": overwrite,
    }
    if print_ffmpeg:
        from vidrestore.video import ffmpeg_pipeline

        lines = ffmpeg_pipeline(input, output, make_settings(**settings), _flags(settings)).split("\n")
        print_result("\n".join(printable(line) for line in lines))
        return
    wanted = RunOutput(quiet=quiet, progress=progress, report=report_file, log=log_file)
    reads = (config, sidecar, photo_of(faces), model, (detector or "").partition("=")[2] or None)
    mask_path = None if mask is None else Path(mask)
    with run_session(output, wanted, source=input, mask=mask_path, reads=reads) as session:
        if dry_run:
            from vidrestore.jobs.dry_run import plan_restore

            session.show_plan(plan_restore(input, output, make_settings(**settings), session.on_progress))
            return
        session.finish(restore_video(input, output, on_progress=session.on_progress, **settings))


def _flags(settings: dict[str, Any]) -> list[str]:
    """The settings as options, without those that concern the files at both ends of the pipe."""
    words = []
    for name, value in settings.items():
        if value is not None and name not in _NOT_IN_PIPE:
            flag = f"--{name.replace('_', '-')}"
            words += [flag] if value is True else [flag, str(value)]
    return words
