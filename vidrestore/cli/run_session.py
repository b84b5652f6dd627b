"""The output of `restore` and `resume`: progress, messages and the report, in all requested forms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from vidrestore.cli.interruption import explained_interrupt
from vidrestore.cli.log_file import LogFile, log_to
from vidrestore.cli.plan_lines import plan_lines
from vidrestore.cli.progress import show_progress
from vidrestore.cli.progress_json import JsonProgress, start_json_progress
from vidrestore.cli.report_file import ReportFile
from vidrestore.cli.run_files import check_apart
from vidrestore.cli.run_report import run_report, run_report_json
from vidrestore.cli.terminal import print_line, print_message, print_result, print_warning, printable
from vidrestore.cli.wording import count, drawn_tracks

if TYPE_CHECKING:
    from vidrestore.jobs.dry_run import RunPlan
    from vidrestore.types import ProgressCallback, Report

DAMAGED = 3
"""Exit code for `Report.is_damaged`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutput:
    """The requested forms of a run's progress and report."""

    quiet: bool = False
    progress: str | None = None
    """json, or json:N for a file descriptor."""
    report: Path | None = None
    log: Path | None = None


class RunSession:
    """Shows the progress and the result of one run."""

    def __init__(
        self,
        on_progress: ProgressCallback | None,
        json: JsonProgress | None,
        log: LogFile | None,
        report: ReportFile | None,
        *,
        quiet: bool,
    ) -> None:
        self.on_progress = on_progress
        self._json, self._log, self._report, self._quiet = json, log, report, quiet

    def show_plan(self, plan: RunPlan) -> None:
        """Prints the plan of a dry run."""
        for line in plan_lines(plan):
            print_result(printable(line))
        if self._json is not None:
            self._json.write("plan", **asdict(plan))

    def finish(self, report: Report) -> None:
        """Prints warnings and the closing line and writes the report.

        Raises:
            OutputError: The report cannot be written.
            typer.Exit: The input was damaged; the exit code is `DAMAGED`.
        """
        for sentence in report.people:
            print_message(f"vidrestore: {sentence}")
        for warning in report.warnings:
            print_warning(warning)
        if self._log is not None:
            self._log.line(closing_line(report))
        if not self._quiet:
            # Standard output may be the video itself.
            (print_message if str(report.output) == "-" else print_line)(closing_line(report))
        if self._report is not None:
            self._report.write(run_report_json(report))
        if self._json is not None:
            self._json.show_report(report)
        if report.is_damaged:
            raise typer.Exit(DAMAGED)


@contextmanager
def run_session(
    output: Path,
    wanted: RunOutput,
    *,
    source: Path | None = None,
    mask: Path | None = None,
    reads: Iterable[str | Path | None] = (),
) -> Iterator[RunSession]:
    """The session of a run, active in this block.

    Args:
        output: The output of the run.
        wanted: The requested forms of progress and report.
        source: The input of the run.
        mask: The mask that the run writes.
        reads: Other files that the run reads.

    Raises:
        OutputError: The report or the log cannot be written, or is another file of the run.
        UsageError: The requested form of progress does not exist.
        CancelledError: The run was interrupted; the message says what work is kept.
    """
    json = None if wanted.progress is None else start_json_progress(wanted.progress)
    notes = {"report": wanted.report, "log": wanted.log}
    check_apart({"video": output, "mask": mask, **notes}, reads)
    check_apart(notes, [source])  # writers compare the others with it, and say more
    report = run_report(wanted.report)
    with log_to(wanted.log) as log, explained_interrupt(output):
        if json is not None:
            on_progress: ProgressCallback | None = json.show
            if log is not None:
                on_progress = log.combined_with(on_progress)
            yield RunSession(on_progress, json, log, report, quiet=wanted.quiet)
            return
        with show_progress(quiet=wanted.quiet) as shown:
            on_progress = shown if log is None else log.combined_with(shown)
            session = RunSession(on_progress, None, log, report, quiet=wanted.quiet)
            yield session


def closing_line(report: Report) -> str:
    """The last line of a run: numbers of frames, faces and warnings, the time, and the output."""
    earlier = f" ({report.resumed_frames} by an earlier run)" if report.resumed_frames else ""
    faces = "no faces"
    if report.faces:
        faces = f"{count(report.faces, 'face')} of {count(report.tracks, 'track')}"
    drawn = drawn_tracks(report.drawn)
    return (
        f"{count(report.frames, 'frame')}{earlier}, {faces} restored in {report.seconds:.1f} s "
        f"({report.rate:.1f} frames/s), "
        f"{count(report.lost_frames, 'frame')} lost, {count(len(report.warnings), 'warning')}"
        f"{drawn and f', {drawn}'}: "
        f"{report.output}"
    )
