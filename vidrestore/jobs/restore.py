"""Restores long videos in segments, which can be interrupted and distributed; short videos in one go."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from vidrestore import video
from vidrestore.errors import DamagedInputError, InputError, OutputError, UsageError, VidrestoreError
from vidrestore.jobs.disk_space import LEAST_FREE, check_free_space
from vidrestore.jobs.engines.make_engine import make_engine
from vidrestore.jobs.engines.protocol import Engine
from vidrestore.jobs.fingerprint import check_same_job, fingerprint, settings_from_json, with_absolute_paths
from vidrestore.jobs.journal import Journal, is_journal, journal_path
from vidrestore.jobs.parts_folder import PartsFolder
from vidrestore.jobs.people import prepare_settings, with_people
from vidrestore.jobs.scheduler import SegmentedJob, SegmentScheduler
from vidrestore.jobs.segment_choice import segment_length, wants_segments, with_reason
from vidrestore.pipeline import (
    NetworkLoader,
    expected_frames,
    open_input_video,
    output_size,
    restore_opened,
)
from vidrestore.report import RunStats, report_from_dict, report_opening, report_to_dict
from vidrestore.run_warnings import check_tracks_found, run_warnings
from vidrestore.runtime.file_kinds import absolute, is_own_kind
from vidrestore.runtime.marked_folder import is_marked
from vidrestore.settings import Settings
from vidrestore.types import ProgressCallback, Report, VideoInfo


def restore_file(
    source: Path,
    target: Path,
    settings: Settings,
    on_progress: ProgressCallback | None = None,
    engine: Engine | None = None,
) -> Report:
    """Restores a video like `pipeline.restore_video`, in segments if settings or length require it.

    Continues an interrupted run that had the same arguments.

    Args:
        source: The input.
        target: The output.
        settings: All settings.
        on_progress: Called with the progress from time to time.
        engine: An open engine to use; None: the settings choose one.

    Returns:
        The report of the whole video.

    Raises:
        VidrestoreError: One of its subclasses. Finished segments are kept for the next run.
    """
    settings, people = prepare_settings(source, settings, on_progress)
    return with_people(_restore_file(source, target, settings, on_progress, engine), people)


def _restore_file(
    source: Path,
    target: Path,
    settings: Settings,
    on_progress: ProgressCallback | None,
    engine: Engine | None,
) -> Report:
    if (done := _recover_joined_output(source, target, settings)) is not None:
        return done
    muxer = video.check_paths(source, target, settings.overwrite, settings.container)
    report_opening(on_progress)
    with NetworkLoader(settings) as networks:

        def load_networks_early(info: VideoInfo) -> None:
            if not wants_segments(info, settings):
                networks.start()

        opened = open_input_video(source, settings, on_info=load_networks_early)
        why = video.why_not_segmented(opened.input, opened.side_data, target, muxer)
        if settings.mask is not None:
            why = "a mask is written as well"
        if why is None and wants_segments(opened.info, settings):
            whole = opened.at(absolute(source))
            job = _make_job(whole, absolute(target), muxer, with_absolute_paths(settings))
            # Making a writer reports wrong encoder options before the work starts.
            why = video.why_not_joinable(job.writer(job.output).codec)
            if why is None:
                return _restore_segmented(job, on_progress, engine)
        report = restore_opened(opened, target, settings, on_progress, muxer=muxer, networks=networks)
    return with_reason(report, source, settings, why)


def resume_file(
    target: Path,
    on_progress: ProgressCallback | None = None,
    *,
    workers: int | None = None,
    engine: str | None = None,
) -> Report:
    """Continues an interrupted run, with the settings it was started with.

    Args:
        target: The output of the run.
        on_progress: Called with the progress from time to time.
        workers: Number of workers; None: as before.
        engine: Name of the engine; None: as before.

    Returns:
        The report of the whole video.

    Raises:
        UsageError: There is no such run, `workers` or `engine` is not valid, or the input has changed.
        OutputError: The kept work is damaged, or another run uses it.
    """
    path = journal_path(absolute(target))
    if not is_journal(path):
        raise UsageError(f"there is no unfinished run to {target}; use vidrestore restore")
    with Journal(path, target) as journal:
        about = journal.about()
    if not about:
        raise UsageError(
            f"the run to {target} was interrupted before anything was finished; use vidrestore restore"
        )
    changes = {"overwrite": about.get("overwrite") == "True", "workers": workers, "engine": engine}
    settings = settings_from_json(
        about["settings"], **{name: value for name, value in changes.items() if value is not None}
    )
    return restore_file(Path(about["input"]), target, settings, on_progress)


def _make_job(opened: video.OpenedVideo, target: Path, muxer: str, settings: Settings) -> SegmentedJob:
    return SegmentedJob(
        opened=opened,
        settings=settings,
        output=target,
        muxer=muxer,
        parts=PartsFolder(target),
        size=output_size(opened.info, settings),
        seconds=segment_length(settings),
    )


def _restore_segmented(
    job: SegmentedJob, on_progress: ProgressCallback | None, engine: Engine | None
) -> Report:
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
        try:
            job.parts.open(is_new_run=is_new_run)
            if is_new_run:
                journal.clear()
                journal.note(**current, started=str(time.time()))
            if recorded.get("overwrite") != str(settings.overwrite):
                journal.note(overwrite=str(settings.overwrite))
            stats = RunStats(
                total=expected_frames(job.info, settings), strict=settings.strict, on_progress=on_progress
            )
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
    """Raises InputError if the input has changed since the run started."""
    if fingerprint(job.video_input.path, job.settings) != current:
        # The finished work may be of neither file, so no later run may use it.
        journal.note(**{"input sha256": "changed while it was read"})
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
    journal.note(joined=json.dumps(_file_state(joined)), report=json.dumps(report_to_dict(report)))
    video.place_output(joined, job.output, overwrite=job.settings.overwrite)
    job.parts.remove()
    journal.remove()
    return report


def _recover_joined_output(source: Path, target: Path, settings: Settings) -> Report | None:
    """The report of a run that was killed after joining its output, which is put in place now."""
    target = absolute(target)
    path = journal_path(target)
    if settings.restart or not is_journal(path):
        return None
    parts = PartsFolder(target)
    with Journal(path, target) as journal:
        about = journal.about()
        if "joined" not in about or not _is_same_job(about, absolute(source), settings):
            return None
        state = json.loads(about["joined"])
        if is_marked(parts.path) and _is_file(parts.joined, state):
            video.place_output(parts.joined, target, overwrite=settings.overwrite)
        elif not _is_file(target, state):  # that run had not moved it to its place
            return None
        parts.remove()
        journal.remove()
        return report_from_dict(json.loads(about["report"]), target)


def _is_file(path: Path, state: list[int]) -> bool:
    return is_own_kind(path, "file") and _file_state(path) == state


def _file_state(file: Path) -> list[int]:
    stat = file.stat()
    return [stat.st_size, stat.st_mtime_ns]


def _is_same_job(about: dict[str, str], source: Path, settings: Settings) -> bool:
    try:
        check_same_job(about, fingerprint(source, with_absolute_paths(settings)), source)
    except VidrestoreError:
        return False
    return True


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
