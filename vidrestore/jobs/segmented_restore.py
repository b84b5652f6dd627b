"""Restores a video in segments: runs the scheduler, keeps work after an error, joins the parts at the end."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from dataclasses import replace

from vidrestore import video
from vidrestore.errors import DamagedInputError, InputError, OutputError, UsageError, VidrestoreError
from vidrestore.jobs.disk_space import LEAST_FREE, check_free_space
from vidrestore.jobs.engines.make_engine import make_engine
from vidrestore.jobs.engines.protocol import Engine
from vidrestore.jobs.fingerprint import RUN_SETTINGS, check_same_job, fingerprint, run_settings_to_json
from vidrestore.jobs.joined_output import file_state
from vidrestore.jobs.journal import Journal, is_journal, journal_path
from vidrestore.jobs.scheduler import SegmentScheduler
from vidrestore.jobs.segmented_job import SegmentedJob
from vidrestore.pipeline import expected_frames
from vidrestore.report import RunStats, report_to_dict
from vidrestore.run_warnings import check_tracks_found, run_warnings
from vidrestore.types import ProgressCallback, Report


def restore_segmented(
    job: SegmentedJob, on_progress: ProgressCallback | None, engine: Engine | None
) -> Report:
    """Restores a video in segments, or continues an earlier run of the same job.

    Args:
        job: The video and its settings.
        on_progress: Called with the progress from time to time.
        engine: An open engine to use; None: the settings choose one.

    Returns:
        The report of the whole video.

    Raises:
        UsageError: An earlier run to this output had other arguments.
        DamagedInputError: `strict` is set, and an earlier run without it found damage. Its work is kept.
        VidrestoreError: One of its subclasses. Finished segments are kept for the next run.
    """
    started, settings = time.monotonic(), job.settings
    path = journal_path(job.output)
    is_first = settings.codec == "match" and not is_journal(path)
    expected_bytes = job.video_input.path.stat().st_size if is_first else 0
    check_free_space(job.output.parent, job.output, expected_bytes)
    current = fingerprint(job.video_input.path, settings)
    with ExitStack() as stack:
        journal = stack.enter_context(Journal(path, job.output))
        recorded = journal.about()
        is_new_run = settings.restart or not recorded
        if not is_new_run:
            check_same_job(recorded, current, job.output)
        stats = RunStats(
            total=expected_frames(job.info, settings), strict=settings.strict, on_progress=on_progress
        )
        if settings.strict and not is_new_run:
            totals = journal.totals()
            stats.check_recorded_damage(totals.lost + totals.concealed)
        try:
            job.parts.open(is_new_run=is_new_run)
            if is_new_run:
                journal.clear()
                journal.note(**current, started=str(time.time()))
            how = {"overwrite": str(settings.overwrite), RUN_SETTINGS: run_settings_to_json(settings)}
            if not how.items() <= recorded.items():
                journal.note(**how)
            running = engine or stack.enter_context(make_engine(settings))
            return _run(job, journal, stats, running, current, started)
        except BaseException as error:
            if isinstance(error, DamagedInputError) or not _is_worth_keeping(journal):
                job.parts.remove()
                journal.remove()
            raise


def _run(
    job: SegmentedJob,
    journal: Journal,
    stats: RunStats,
    engine: Engine,
    current: dict[str, str],
    started: float,
) -> Report:
    scheduler = SegmentScheduler(job, journal, stats)
    try:
        scheduler.run(engine)
    except VidrestoreError as error:
        engine.cancel()
        if isinstance(error, InputError):
            _check_input_unchanged(job, journal, current)
        raise _with_resume_hint(error, journal) from error
    _check_input_unchanged(job, journal, current)
    try:
        return _finish(job, journal, stats, scheduler.warnings, started)
    except VidrestoreError as error:
        if isinstance(error, InputError):
            _check_input_unchanged(job, journal, current)
        raise _with_resume_hint(error, journal) from error


def _is_worth_keeping(journal: Journal) -> bool:
    """Whether a later run could use it: a segment is finished, or the analysis has a checkpoint."""
    try:
        checkpoint = journal.checkpoint()
        analysed = checkpoint is not None and checkpoint.frame > 0
        return analysed or any(segment.file is not None for segment in journal.segments())
    except OutputError:
        return True


def _check_input_unchanged(job: SegmentedJob, journal: Journal, current: dict[str, str]) -> None:
    """Raises InputError if the input or the weights have changed since the run started."""
    now = fingerprint(job.video_input.path, job.settings)
    changed = [name for name in now if now[name] != current[name]]
    if not changed:
        return
    # The finished work may be of neither file, so no later run may use it.
    journal.note(**{"input sha256": "changed while it was read"})
    if not any(name.startswith("input") for name in changed):
        raise InputError(
            f"the {changed[0]}'s weights changed during the run; run the command again with --restart"
        )
    raise InputError(
        f"{job.video_input.path} changed while it was read; run the command again with --restart"
    )


def _finish(
    job: SegmentedJob, journal: Journal, stats: RunStats, warnings: list[str], started: float
) -> Report:
    """Joins the parts, moves the result to its place, removes parts and journal; returns the report."""
    check_tracks_found(job.info, job.settings, stats)
    stats.report_stage("finishing")
    parts = journal.segments()
    check_free_space(job.parts.path, job.output, sum(part.bytes for part in parts) + LEAST_FREE)
    joined = job.parts.joined
    with job.writer(joined) as writer:
        video.join_segments(writer, [job.parts.path / str(part.file) for part in parts])
        if job.settings.start is None and job.settings.end is None:
            stats.check_missing_frames(job.info, writer.other_streams_end)
    report = stats.report(
        job.output,
        (*run_warnings(job.info, job.field_processing, job.settings, stats), *writer.warnings, *warnings),
    )
    report = replace(
        report,
        seconds=time.monotonic() - started,
        seconds_by_stage=_seconds_by_stage(journal, report.seconds_by_stage),
    )
    journal.note(joined=json.dumps(file_state(joined)), report=json.dumps(report_to_dict(report)))
    video.place_output(joined, job.output, overwrite=job.settings.overwrite)
    job.parts.remove()
    journal.remove()
    return report


def _with_resume_hint(error: VidrestoreError, journal: Journal) -> VidrestoreError:
    """The error, with the number of finished segments if there are any."""
    try:
        done = sum(segment.file is not None for segment in journal.segments())
    except OutputError:
        return error
    if not done or isinstance(error, UsageError) or "run the same command again" in str(error):
        return error
    kept = "1 segment is" if done == 1 else f"{done} segments are"
    return type(error)(f"{error} ({kept} kept: run the same command again to continue)")


def _seconds_by_stage(journal: Journal, analysis: dict[str, float]) -> dict[str, float]:
    sums = dict(analysis)
    for stage, seconds in journal.seconds_by_stage().items():
        sums[stage] = sums.get(stage, 0.0) + seconds
    return sums
