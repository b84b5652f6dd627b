"""`vidrestore resume OUTPUT`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from vidrestore.cli import options
from vidrestore.cli.run_session import RunOutput, run_session
from vidrestore.errors import UsageError
from vidrestore.settings.keywords import EngineName

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
    workers: options.Workers = None,
    engine: options.Engine = None,
    progress: options.Progress = None,
    report_file: options.ReportFile = None,
    log_file: options.LogFile = None,
    quiet: options.Quiet = False,
) -> None:
    """Continue an interrupted restoration, with the settings it was started with."""
    from vidrestore.api import resume as resume_file

    if engine not in (None, "local", "ray"):
        raise UsageError(f"engine must be local or ray, got '{engine}'")
    wanted = RunOutput(quiet=quiet, progress=progress, report=report_file, log=log_file)
    with run_session(output, wanted) as session:
        report = resume_file(
            output,
            on_progress=session.on_progress,
            workers=workers,
            engine=cast("EngineName | None", engine),
        )
        session.finish(report)
