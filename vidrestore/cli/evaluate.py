"""`vidrestore evaluate RESULT [--truth T] [--input I]`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidrestore.cli import options
from vidrestore.cli.progress import show_progress
from vidrestore.cli.report_file import ReportFile, check_reports, csv_report, json_report, page_report
from vidrestore.cli.terminal import print_result, print_warning, printable
from vidrestore.errors import UsageError
from vidrestore.settings import DEFAULT_MIN_FACE

if TYPE_CHECKING:
    from vidrestore.evaluation.evaluation import Evaluation
    from vidrestore.evaluation.pairing import Check

MADE_BY = "vidrestore evaluate"
"""Marks this command's reports."""
CHECK_FAILED = 3
"""Exit code: measured and reported, but a check failed."""

EXAMPLES = """\
[bold]Examples[/bold]

vidrestore evaluate restored.mkv --truth clean.mkv --input old.mkv --html report.html

vidrestore evaluate restored_faces --truth faces --csv values.csv --json -

vidrestore evaluate restored.mp4 --input old.mp4

[bold]Exit codes[/bold]

0 measured, all checks passed; 1 a failure; 2 arguments or files cannot be used, or a file has no partner; \
3 measured, but a check failed: frames, sound or times differ; 130 interrupted
"""


def evaluate(
    result: Annotated[
        Path,
        typer.Argument(
            metavar="RESULT", help="A video, a picture, a folder of pictures, a sequence.", show_default=False
        ),
    ],
    truth: Annotated[
        Path | None, typer.Option(metavar="PATH", help="The clean original, of the same size.")
    ] = None,
    given: Annotated[
        Path | None, typer.Option("--input", metavar="PATH", help="The restorer's input.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write all values as JSON; - for stdout.")
    ] = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write one line for each frame and face.")
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write a page with plots and the worst faces."),
    ] = None,
    inception: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Weights of FID's network. Default: where torch.hub keeps them."),
    ] = None,
    crops: Annotated[
        Path | None, typer.Option("--crops", metavar="FOLDER", help="Write the aligned faces as pictures.")
    ] = None,
    detector: options.Detector = None,
    device: options.Device = None,
    min_face: Annotated[
        int | None,
        typer.Option(
            metavar="PIXELS",
            help=f"Smallest face to measure: the side of its box. Default: {DEFAULT_MIN_FACE}",
        ),
    ] = None,
    every_frame: Annotated[
        bool,
        typer.Option(
            "--every-frame", metavar="", help="Measure the whole picture in every frame, not once a second."
        ),
    ] = False,
    worst: Annotated[
        int,
        typer.Option(metavar="N", min=0, max=100, help="Number of worst faces on the page, by two measures."),
    ] = 6,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", metavar="", help="Show no progress and no table.")
    ] = False,
) -> None:
    """Measure RESULT: quality against the truth, identity, steadiness, and unwanted changes."""
    from vidrestore.evaluation.crops import write_crops
    from vidrestore.evaluation.evaluate import EvaluationSettings
    from vidrestore.evaluation.evaluate import evaluate as run

    to_stdout = str(json_file) == "-"
    reports = _Reports(
        json=None if json_file is None or to_stdout else json_report(json_file, MADE_BY),
        csv=None if csv_file is None else csv_report(csv_file),
        html=None if html is None else page_report(html, MADE_BY),
    )
    check_reports(*filter(None, (reports.json, reports.csv, reports.html)))
    _check_outputs([path for path in (result, truth, given) if path is not None], html=html, crops=crops)
    settings = EvaluationSettings(
        detector=detector or "embedded",
        device=device or "auto",
        min_face=DEFAULT_MIN_FACE if min_face is None else min_face,
        every_frame=every_frame,
        inception=inception,
        worst=worst if html is not None else 0,
    )
    with show_progress(quiet=quiet) as on_progress:
        found = run(
            result,
            truth=truth,
            given=given,
            settings=settings,
            on_progress=on_progress,
            on_face=None if crops is None else write_crops(crops),
        )
    _write_reports(found, reports, to_stdout=to_stdout, quiet=quiet)
    end_by_checks(found.checks, has_table=not (to_stdout or quiet))


def end_by_checks(checks: Sequence[Check], *, has_table: bool) -> None:
    """Ends with `CHECK_FAILED` if a check failed; where no table says which, a warning does."""
    failed = [check for check in checks if not check.passed]
    if not has_table:
        for check in failed:
            print_warning(f"{check.name}: {check.sentence}")
    if failed:
        raise typer.Exit(CHECK_FAILED)


@dataclass(frozen=True, slots=True)
class _Reports:
    """The requested report files."""

    json: ReportFile | None
    csv: ReportFile | None
    html: ReportFile | None


def _check_outputs(inputs: list[Path], *, html: Path | None, crops: Path | None) -> None:
    """Refuses outputs that cannot be written before the work, which takes long."""
    from vidrestore.evaluation.report import check_plots

    if html is not None:
        check_plots()
    if crops is not None and any(crops.resolve() == path.resolve() for path in inputs):
        raise UsageError(f"{crops} is one of the inputs; choose another folder for --crops")


def _write_reports(found: Evaluation, reports: _Reports, *, to_stdout: bool, quiet: bool) -> None:
    from vidrestore.evaluation.report import page, table, to_csv, to_dict

    text = json.dumps({"made_by": MADE_BY, **to_dict(found)}, indent=1)
    if reports.json is not None:
        reports.json.write(text + "\n")
    if reports.csv is not None:
        reports.csv.write(to_csv(found))
    if reports.html is not None:
        reports.html.write(page(found))
    if to_stdout:
        print_result(text)
    elif not quiet:
        lines = [printable(line) for line in table(found).splitlines()]
        # If a report was written to a file, nobody has to read the table.
        print_result("\n".join(lines), must_arrive=reports == _Reports(None, None, None))
