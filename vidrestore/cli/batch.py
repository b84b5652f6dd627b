"""`vidrestore batch INPUT_DIR OUTPUT_DIR`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vidrestore.cli import options
from vidrestore.cli.item_progress import ItemPrinter
from vidrestore.cli.progress_json import JsonProgress, outcome_values, start_json_progress
from vidrestore.cli.report_file import ReportFile, batch_report, check_reports
from vidrestore.cli.run_session import DAMAGED
from vidrestore.cli.terminal import print_line, printable
from vidrestore.cli.wording import drawn_tracks
from vidrestore.errors import VidrestoreError
from vidrestore.settings import make_settings

if TYPE_CHECKING:
    from vidrestore.jobs.batch_outcome import BatchProgress, Outcome

EXAMPLES = """\
[bold]Examples[/bold]

vidrestore batch tapes restored

vidrestore batch tapes restored --recursive --pattern '*.mov' --container mp4 --report report.json

[bold]Exit codes[/bold]

0 all files are restored; 1 at least one failed or was skipped; 2 arguments cannot be used; 3 all are \
restored, but more than 1 % of the frames of at least one input were lost or damaged; 130 interrupted
"""


def batch(
    input: Annotated[
        Path, typer.Argument(metavar="INPUT_DIR", help="The folder of videos.", show_default=False)
    ],
    output: Annotated[
        Path,
        typer.Argument(
            metavar="OUTPUT_DIR", help="The folder of the outputs; created if needed.", show_default=False
        ),
    ],
    pattern: Annotated[
        str | None,
        typer.Option(
            metavar="PATTERN", help="Names of inputs, such as '*.mov'. Default: videos and pictures."
        ),
    ] = None,
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", metavar="", help="Include subfolders.")
    ] = False,
    retries: Annotated[
        int, typer.Option(metavar="N", min=0, max=10, help="Number of further attempts after a failure.")
    ] = 1,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the outcome of each file as JSON.")
    ] = None,
    model: options.Model = None,
    detector: options.Detector = None,
    device: options.Device = None,
    precision: options.Precision = None,
    compile_networks: options.Compile = None,
    strength: options.Strength = None,
    fidelity: options.Fidelity = None,
    temporal: options.Temporal = None,
    grain: options.Grain = None,
    deflicker: options.Deflicker = None,
    aligned: options.Aligned = None,
    codec: options.Codec = None,
    crf: options.Crf = None,
    quality: options.Quality = None,
    upscale: options.Upscale = None,
    preset: options.Preset = None,
    container: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Container of all outputs: mp4, mkv, mov … Default: the input's."),
    ] = None,
    max_pixels: options.MaxPixels = None,
    hwaccel: options.Hwaccel = None,
    strict: options.Strict = None,
    deinterlace: options.Deinterlace = None,
    segment: options.Segment = None,
    workers: options.Workers = None,
    engine: options.Engine = None,
    config: options.Config = None,
    overwrite: Annotated[
        bool | None,
        typer.Option(
            "--overwrite",
            "-y",
            metavar="",
            help="Replace files that were not written by this batch.",
            show_default=False,
        ),
    ] = None,
    progress: options.Progress = None,
    quiet: options.Quiet = False,
) -> None:
    """Restore all videos and pictures of a folder. Skips finished files; continues after failures."""
    values: dict[str, Any] = {
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
        "aligned": aligned,
        "codec": codec,
        "crf": crf,
        "quality": quality,
        "upscale": upscale,
        "preset": preset,
        "container": container,
        "max_pixels": max_pixels,
        "hwaccel": hwaccel,
        "strict": strict,
        "deinterlace": deinterlace,
        "segment": segment,
        "workers": workers,
        "engine": engine,
        "overwrite": overwrite,
    }
    settings = make_settings(config, **values)
    from vidrestore.jobs.batch import restore_folder

    lines = None if progress is None else start_json_progress(progress)
    report_file = None if report is None else batch_report(report)
    check_reports(*filter(None, [report_file]))
    outcomes: list[Outcome] = []
    try:
        restore_folder(
            input,
            output,
            settings,
            pattern=pattern,
            recursive=recursive,
            retries=retries,
            reserved=[] if report is None else [report],
            on_progress=_progress_printer(outcomes, lines, quiet=quiet),
        )
    except BaseException:
        with suppress(VidrestoreError):  # the first error is the one to show
            _conclude(outcomes, report_file, quiet=quiet)
        raise
    _conclude(outcomes, report_file, quiet=quiet)
    if lines is not None:
        lines.write("report", outcomes=_rows(outcomes))
    states = {outcome.state for outcome in outcomes}
    if states & {"failed", "skipped"}:
        raise typer.Exit(1)
    if "damaged" in states:
        raise typer.Exit(DAMAGED)


def _conclude(outcomes: list[Outcome], report: ReportFile | None, *, quiet: bool) -> None:
    """Prints the table and writes the report of all outcomes, also after an error."""
    if not outcomes:
        return
    if not quiet:
        for line in _table(sorted(outcomes, key=lambda outcome: outcome.name)):
            print_line(line)
    if report is not None:
        report.write(json.dumps(_rows(outcomes), indent=2, ensure_ascii=False) + "\n")


def _progress_printer(
    outcomes: list[Outcome], lines: JsonProgress | None, *, quiet: bool
) -> Callable[[BatchProgress], None]:
    """A callback that prints errors at once, and progress and remaining time every few seconds.

    With `lines`, it writes those instead.

    It adds each outcome to `outcomes`.
    """
    began, printer = time.monotonic(), ItemPrinter(quiet=quiet)

    def show(progress: BatchProgress) -> None:
        if progress.outcome is not None:
            outcomes.append(progress.outcome)
        if lines is None:
            printer.show(progress, remark=_time_left(progress, began))
        else:
            lines.show_item(progress)

    return show


def _time_left(progress: BatchProgress, began: float) -> str:
    rest = progress.total - progress.number
    if not rest:
        return ""
    seconds = (time.monotonic() - began) / progress.number * rest
    failed = f", {progress.failed} failed" if progress.failed else ""
    return f"; {rest} more{failed}, about {timedelta(seconds=round(seconds))} left"


def _rows(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    return [outcome_values(outcome) for outcome in sorted(outcomes, key=lambda outcome: outcome.name)]


def _table(outcomes: Sequence[Outcome]) -> list[str]:
    """The table's lines; the last one counts the outcomes."""
    width = max(len(printable(outcome.name)) for outcome in outcomes)
    lines = [
        f"{printable(o.name):<{width}}  {o.state:<11}  {o.frames:>8} frames  {o.faces:>7} faces  "
        f"{o.seconds:>8.1f} s" + (f"  {drawn}" if (drawn := drawn_tracks(o.drawn)) else "")
        for o in outcomes
    ]
    counts = [
        f"{n} {state}"
        for state in ("restored", "damaged", "up to date", "skipped", "failed")
        if (n := sum(o.state == state for o in outcomes))
    ]
    return [*lines, ", ".join(counts)]
