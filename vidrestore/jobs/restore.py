"""A film restored in segments, to be stopped at any moment and shared out; short videos in one go."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

from vidrestore import video
from vidrestore.errors import InputError, OutputError, UsageError, VidrestoreError
from vidrestore.jobs.disk_space import LEAST_FREE, check_free_space
from vidrestore.jobs.engines.make_engine import make_engine
from vidrestore.jobs.engines.protocol import Engine
from vidrestore.jobs.fingerprint import check_same_job, fingerprint, settings_from_json, with_absolute_paths
from vidrestore.jobs.journal import Journal, discard, journal_path
from vidrestore.jobs.scheduler import SegmentedJob, SegmentScheduler
from vidrestore.pipeline import expected_frames, output_size, restore_video, run_warnings
from vidrestore.report import RunStats
from vidrestore.settings import Settings
from vidrestore.types import ProgressCallback, Report, VideoInfo

DEFAULT_SEGMENT_SECONDS = 60.0
MIN_SEGMENTED_SECONDS = 300.0
"""Videos longer than this are cut into segments without being asked."""


def restore_file(
    source: Path,
    target: Path,
    settings: Settings,
    on_progress: ProgressCallback | None = None,
    engine: Engine | None = None,
) -> Report:
    """As `pipeline.restore_video`: in segments where the settings or the video's length ask for it.

    What an earlier run with the same arguments has done of it is not done again. `engine` is one to use that
    is open already. Raises a VidrestoreError; segments that are done are kept for the next run.
    """
    if (done := _recover_joined_output(source, target, settings)) is not None:
        return done
    video.check_paths(source, target, settings.overwrite, settings.container)
    video_input = video.open_input(source, **settings.input_options())
    if (why := video.why_not_segmented(video_input, target, settings.container)) is not None:
        return _restore_unsegmented(source, target, settings, on_progress, why)
    info = video.probe(video_input)
    if not _wants_segments(info, settings):
        return _restore_unsegmented(source, target, settings, on_progress, None, info)
    source, target = source.absolute(), target.absolute()
    video_input, info = replace(video_input, path=source), replace(info, path=source)
    job = _make_job(video_input, info, target, with_absolute_paths(settings))
    if (why := video.why_not_joinable(job.writer(target).codec)) is not None:
        return _restore_unsegmented(source, target, settings, on_progress, why)
    return _restore_segmented(job, on_progress, engine)


def resume_file(
    target: Path,
    on_progress: ProgressCallback | None = None,
    *,
    workers: int | None = None,
    engine: str | None = None,
) -> Report:
    """Goes on with what was begun for `target`, with the settings it was begun with.

    Raises UsageError where nothing was begun or it is not the same any more.
    """
    path = journal_path(target.absolute())
    if not path.is_file():
        raise UsageError(f"nothing was begun for {target}, or it is finished; use vidrestore restore")
    with Journal(path, target) as journal:
        about = journal.about()
    if "settings" not in about:
        raise UsageError(f"too little was done for {target} to go on with; use vidrestore restore")
    settings = settings_from_json(about["settings"])
    changes = {"overwrite": about.get("overwrite") == "True", "workers": workers, "engine": engine}
    settings = settings.model_copy(update={name: v for name, v in changes.items() if v is not None})
    return restore_file(Path(about["input"]), target, settings, on_progress)


def _wants_segments(info: VideoInfo, settings: Settings) -> bool:
    if settings.segment is not None:
        return settings.segment > 0
    if (settings.workers or 1) > 1 or settings.engine != "local":
        return True
    seconds = expected_frames(info, settings)
    return seconds is not None and seconds / info.frame_rate > MIN_SEGMENTED_SECONDS


def _restore_unsegmented(
    source: Path,
    target: Path,
    settings: Settings,
    on_progress: ProgressCallback | None,
    why: str | None,
    info: VideoInfo | None = None,
) -> Report:
    report = restore_video(source, target, settings, on_progress, info=info)
    if why is None or not (settings.segment or (settings.workers or 1) > 1 or settings.engine != "local"):
        return report
    return replace(
        report, warnings=(*report.warnings, f"{source.name} was restored in one go, not in segments: {why}")
    )


def _make_job(video_input: video.Input, info: VideoInfo, target: Path, settings: Settings) -> SegmentedJob:
    field_processing = video.choose_field_processing(video_input, info, settings.deinterlace)
    return SegmentedJob(
        video_input=video_input,
        info=info,
        field_processing=field_processing,
        settings=settings,
        output=target,
        folder=_parts_folder(target),
        size=output_size(info, settings),
        seconds=settings.segment or DEFAULT_SEGMENT_SECONDS,
    )


def _restore_segmented(
    job: SegmentedJob, on_progress: ProgressCallback | None, engine: Engine | None
) -> Report:
    started, settings = time.monotonic(), job.settings
    path = journal_path(job.output)
    expected_bytes = (
        job.video_input.path.stat().st_size if settings.codec == "match" and not job.folder.exists() else 0
    )
    check_free_space(job.output.parent, job.output, expected_bytes)
    current = fingerprint(job.video_input.path, settings)
    with ExitStack() as stack:
        journal = stack.enter_context(Journal(path, job.output))
        recorded = journal.about()
        if settings.restart or "settings" not in recorded:
            journal.clear()
            shutil.rmtree(job.folder, ignore_errors=True)
            journal.note(**current, overwrite=str(settings.overwrite), started=str(time.time()))
        else:
            check_same_job(recorded, current, job.output)
        with suppress(FileExistsError):
            job.folder.mkdir()
        stats = RunStats(
            total=expected_frames(job.info, settings), strict=settings.strict, on_progress=on_progress
        )
        running = engine or stack.enter_context(make_engine(settings))
        scheduler = SegmentScheduler(job, journal, stats)
        try:
            scheduler.run(running)
        except VidrestoreError as error:
            running.cancel()
            if isinstance(error, InputError):
                _check_input_unchanged(job, journal, current)
            raise _with_resume_hint(error, journal) from error
        _check_input_unchanged(job, journal, current)
        try:
            return _finish(job, journal, stats, scheduler.warnings, started)
        except VidrestoreError as error:
            raise _with_resume_hint(error, journal) from error


def _check_input_unchanged(job: SegmentedJob, journal: Journal, current: dict[str, str]) -> None:
    """Raises InputError where the input is not what it was when the run began."""
    if fingerprint(job.video_input.path, job.settings) != current:
        # What was read of it may be of neither file: no later run may take it for the film's.
        journal.note(**{"input sha256": "changed while it was read"})
        raise InputError(
            f"{job.video_input.path} changed while it was read; run the command again with --restart"
        )


def _finish(
    job: SegmentedJob, journal: Journal, stats: RunStats, warnings: list[str], started: float
) -> Report:
    """Joins the parts, puts the whole in place, removes what helped; then says what was done."""
    parts = journal.segments()
    check_free_space(job.folder, job.output, sum(part.bytes for part in parts) + LEAST_FREE)
    joined = job.folder / f"joined{job.output.suffix}"
    with job.writer(joined) as writer:
        video.join_segments(writer, [job.folder / str(part.file) for part in parts])
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
    journal.note(joined=json.dumps(_file_state(joined)), report=_report_json(report))
    video.replace_atomically(joined, job.output)
    _remove_job_files(job.folder, journal)
    return report


def _recover_joined_output(source: Path, target: Path, settings: Settings) -> Report | None:
    """What an earlier run had all but finished when it was ended; its whole file is put in place."""
    target = target.absolute()
    path = journal_path(target)
    if settings.restart or not path.is_file():
        return None
    folder = _parts_folder(target)
    with Journal(path, target) as journal:
        about = journal.about()
        if "joined" not in about or not _is_same_job(about, source.absolute(), settings):
            return None
        joined = folder / f"joined{target.suffix}"
        file = joined if joined.is_file() and (settings.overwrite or not target.exists()) else target
        if not file.is_file() or _file_state(file) != json.loads(about["joined"]):
            return None
        if file == joined:
            video.replace_atomically(joined, target)
        _remove_job_files(folder, journal)
        values = json.loads(about["report"])
        return Report(output=target, **{**values, "warnings": tuple(values["warnings"])})


def _parts_folder(target: Path) -> Path:
    """Beside the journal, and called after it."""
    return target.with_name(f"{journal_path(target).name}-parts")


def _file_state(file: Path) -> list[int]:
    stat = file.stat()
    return [stat.st_size, stat.st_mtime_ns]


def _is_same_job(about: dict[str, str], source: Path, settings: Settings) -> bool:
    try:
        check_same_job(about, fingerprint(source, with_absolute_paths(settings)), source)
    except VidrestoreError:
        return False
    return True


def _remove_job_files(folder: Path, journal: Journal) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    journal.remove()
    discard(journal.path)


def _with_resume_hint(error: VidrestoreError, journal: Journal) -> VidrestoreError:
    """The error with what is kept of the work, where that is not clear already."""
    try:
        done = sum(segment.file is not None for segment in journal.segments())
    except OutputError:
        return error
    if not done or "run the same command again" in str(error):
        return error
    kept = "1 segment is" if done == 1 else f"{done} segments are"
    return type(error)(f"{error} ({kept} kept: run the same command again to go on)")


def _seconds_by_stage(journal: Journal, analysis: dict[str, float]) -> dict[str, float]:
    sums = dict(analysis)
    for stage, seconds in journal.seconds_by_stage().items():
        sums[stage] = sums.get(stage, 0.0) + seconds
    return sums


def _report_json(report: Report) -> str:
    names: Iterator[str] = (name for name in Report.__dataclass_fields__ if name != "output")
    return json.dumps({name: getattr(report, name) for name in names})
