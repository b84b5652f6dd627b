"""`vidrestore batch INPUT_DIR OUTPUT_DIR`."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vidrestore.cli import options
from vidrestore.cli.progress import LINE_EVERY_SECONDS, describe
from vidrestore.cli.restore import DAMAGED, sigterm_as_interrupt
from vidrestore.settings import make_settings

if TYPE_CHECKING:
    from vidrestore.jobs.batch import BatchProgress, Outcome

EXAMPLES = """\
[bold]Examples[/bold]

vidrestore batch tapes restored

vidrestore batch tapes restored --recursive --pattern '*.mov' --container mp4 --report report.json

[bold]Exit codes[/bold]

0 all files are restored; 1 at least one failed or was skipped; 2 arguments cannot be used; 3 all are \
restored, but more than one frame in a hundred of at least one input was lost or damaged; 130 interrupted
"""


def batch(
    input: Annotated[
        Path, typer.Argument(metavar="INPUT_DIR", help="The folder of videos.", show_default=False)
    ],
    output: Annotated[
        Path, typer.Argument(metavar="OUTPUT_DIR", help="Where they go; made if need be.", show_default=False)
    ],
    pattern: Annotated[
        str | None, typer.Option(metavar="PATTERN", help="Names of files, such as '*.mov'. Default: videos.")
    ] = None,
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Also what is in the folders in it.")
    ] = False,
    retries: Annotated[
        int, typer.Option(metavar="N", min=0, max=10, help="Further attempts at a file that fails.")
    ] = 1,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write what came of each file as JSON.")
    ] = None,
    model: options.Model = None,
    detector: options.Detector = None,
    device: options.Device = None,
    strength: options.Strength = None,
    fidelity: options.Fidelity = None,
    temporal: options.Temporal = None,
    grain: options.Grain = None,
    deflicker: options.Deflicker = None,
    codec: options.Codec = None,
    crf: options.Crf = None,
    preset: options.Preset = None,
    container: Annotated[
        str | None, typer.Option(metavar="NAME", help="mp4, mkv, mov … of all outputs. Default: the input's.")
    ] = None,
    max_pixels: options.MaxPixels = None,
    strict: options.Strict = None,
    deinterlace: options.Deinterlace = None,
    segment: options.Segment = None,
    workers: options.Workers = None,
    engine: options.Engine = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="YAML of settings; flags win over it.")
    ] = None,
    overwrite: Annotated[
        bool | None,
        typer.Option("--overwrite", "-y", help="Replace files that were not made here.", show_default=False),
    ] = None,
    quiet: options.Quiet = False,
) -> None:
    """Restore all videos of a folder; what is done is not done again, what fails stops no other."""
    values: dict[str, Any] = {
        "model": model,
        "detector": detector,
        "device": device,
        "strength": strength,
        "fidelity": fidelity,
        "temporal": temporal,
        "grain": grain,
        "deflicker": deflicker,
        "codec": codec,
        "crf": crf,
        "preset": preset,
        "container": container,
        "max_pixels": max_pixels,
        "strict": strict,
        "deinterlace": deinterlace,
        "segment": segment,
        "workers": workers,
        "engine": engine,
        "overwrite": overwrite,
    }
    settings = make_settings(config, **values)
    from vidrestore.jobs.batch import restore_folder

    with sigterm_as_interrupt():
        outcomes = restore_folder(
            input,
            output,
            settings,
            pattern=pattern,
            recursive=recursive,
            retries=retries,
            on_progress=_progress_printer(quiet=quiet),
        )
    if report is not None:
        report.write_text(_json(outcomes), encoding="utf-8")
    if not quiet:
        print(_table(outcomes))
    states = {outcome.state for outcome in outcomes}
    if states & {"failed", "skipped"}:
        raise typer.Exit(1)
    if "damaged" in states:
        raise typer.Exit(DAMAGED)


def _progress_printer(*, quiet: bool) -> Callable[[BatchProgress], None]:
    """Errors as they happen; how far a file is every few seconds, and how long all of them will take."""
    began = due = time.monotonic()

    def show(progress: BatchProgress) -> None:
        nonlocal due
        head = f"vidrestore: [{progress.number}/{progress.total}] {progress.name}"
        outcome = progress.outcome
        if outcome is not None and outcome.state in ("failed", "skipped"):
            print(f"{head}: {outcome.state}: {outcome.message}", file=sys.stderr, flush=True)
        elif quiet:
            return
        elif outcome is not None:
            print(f"{head}: {outcome.state}{_time_left(progress, began)}", file=sys.stderr, flush=True)
        elif progress.file is not None and time.monotonic() >= due:
            due = time.monotonic() + LINE_EVERY_SECONDS
            print(f"{head}: {describe(progress.file)}", file=sys.stderr, flush=True)

    return show


def _time_left(progress: BatchProgress, began: float) -> str:
    rest = progress.total - progress.number
    if not rest:
        return ""
    seconds = (time.monotonic() - began) / progress.number * rest
    failed = f", {progress.failed} failed" if progress.failed else ""
    return f"; {rest} to go{failed}, about {timedelta(seconds=round(seconds))} left"


def _json(outcomes: Sequence[Outcome]) -> str:
    rows = [{**asdict(outcome), "target": str(outcome.target)} for outcome in outcomes]
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"


def _table(outcomes: Sequence[Outcome]) -> str:
    width = max(len(outcome.name) for outcome in outcomes)
    lines = [
        f"{o.name:<{width}}  {o.state:<11}  {o.frames:>8} frames  {o.faces:>7} faces  {o.seconds:>8.1f} s"
        for o in outcomes
    ]
    counts = [
        f"{n} {state}"
        for state in ("restored", "damaged", "up to date", "skipped", "failed")
        if (n := sum(o.state == state for o in outcomes))
    ]
    return "\n".join([*lines, ", ".join(counts)])
