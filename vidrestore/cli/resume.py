"""`vidrestore resume OUTPUT`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from vidrestore.cli import options
from vidrestore.cli.options import help_text
from vidrestore.cli.progress import show_progress
from vidrestore.cli.restore import print_report
from vidrestore.cli.run_report import run_report
from vidrestore.errors import UsageError
from vidrestore.settings import EngineName

EXAMPLES = """\
[bold]Examples[/bold]

vidrestore resume new.mkv

vidrestore resume new.mkv --workers 2
"""


def resume(
    output: Annotated[
        Path,
        typer.Argument(
            metavar="OUTPUT",
            help="The output of a `vidrestore restore` that was interrupted.",
            show_default=False,
        ),
    ],
    workers: Annotated[int | None, typer.Option(metavar="N", min=1, help=help_text("workers"))] = None,
    engine: options.Engine = None,
    report_file: options.ReportFile = None,
    quiet: options.Quiet = False,
) -> None:
    """Go on with a film whose restoration was interrupted, with the settings it was begun with."""
    from vidrestore.api import resume as resume_file

    if engine not in (None, "local", "ray"):
        raise UsageError(f"engine must be local or ray, got '{engine}'")
    file = run_report(report_file, output)
    with show_progress(quiet=quiet) as on_progress:
        report = resume_file(
            output, on_progress=on_progress, workers=workers, engine=cast("EngineName | None", engine)
        )
    print_report(report, file, quiet=quiet)
