"""Restores a video file: a long one in segments, which can be resumed and distributed, others in one go."""

from __future__ import annotations

from pathlib import Path

from vidrestore import video
from vidrestore.errors import UsageError
from vidrestore.jobs.aligned_files import restore_aligned_files
from vidrestore.jobs.engines.protocol import Engine
from vidrestore.jobs.fingerprint import recorded_run_settings, settings_from_json, with_absolute_paths
from vidrestore.jobs.joined_output import recover_joined_output
from vidrestore.jobs.journal import Journal, is_journal, journal_path
from vidrestore.jobs.parts_folder import PartsFolder
from vidrestore.jobs.people import prepare_settings, with_people
from vidrestore.jobs.segment_choice import segment_length, wants_segments, with_reason
from vidrestore.jobs.segmented_job import SegmentedJob
from vidrestore.jobs.segmented_restore import restore_segmented
from vidrestore.pipeline import NetworkLoader, open_input_video, output_size, restore_opened
from vidrestore.report import report_opening
from vidrestore.runtime.file_kinds import absolute
from vidrestore.settings import Settings
from vidrestore.types import ProgressCallback, Report, VideoInfo


def restore_file(
    source: Path,
    target: Path,
    settings: Settings,
    on_progress: ProgressCallback | None = None,
    engine: Engine | None = None,
    *,
    in_segments: bool = False,
) -> Report:
    """Restores a video like `pipeline.restore_video`, in segments if settings or length require it.

    Continues an interrupted run that had the same arguments.

    Args:
        source: The input.
        target: The output.
        settings: All settings.
        on_progress: Called with the progress from time to time.
        engine: An open engine to use; None: the settings choose one.
        in_segments: Whether to work in segments although settings and length do not require it.

    Returns:
        The report of the whole video.

    Raises:
        VidrestoreError: One of its subclasses. Finished segments are kept for the next run.
    """
    if settings.aligned:
        return restore_aligned_files(source, target, settings, on_progress)
    settings, people, inspected = prepare_settings(source, settings, on_progress)
    return with_people(
        _restore_file(source, target, settings, on_progress, engine, inspected, in_segments), people
    )


def _restore_file(
    source: Path,
    target: Path,
    settings: Settings,
    on_progress: ProgressCallback | None,
    engine: Engine | None,
    inspected: video.Input | None,
    in_segments: bool,
) -> Report:
    if (done := recover_joined_output(source, target, settings)) is not None:
        return done
    muxer = video.check_paths(source, target, settings.overwrite, settings.container)
    report_opening(on_progress)
    with NetworkLoader(settings) as networks:

        def load_networks_early(info: VideoInfo) -> None:
            if not (in_segments or wants_segments(info, settings)):
                networks.start()

        opened = open_input_video(source, settings, on_info=load_networks_early)
        if inspected is not None:
            inspected.check_unchanged()
        why = video.why_not_segmented(opened.input, opened.side_data, target, muxer)
        if settings.mask is not None:
            why = "a mask is written as well"
        if why is None and (in_segments or wants_segments(opened.info, settings)):
            whole = opened.at(absolute(source))
            job = _make_job(whole, absolute(target), muxer, with_absolute_paths(settings))
            # Making a writer reports wrong encoder options before the work starts.
            why = video.why_not_joinable(job.writer(job.output).codec)
            if why is None:
                return restore_segmented(job, on_progress, engine)
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
    changes = {
        "overwrite": about.get("overwrite") == "True",
        **recorded_run_settings(about),
        **{name: value for name, value in (("workers", workers), ("engine", engine)) if value is not None},
    }
    settings = settings_from_json(about["settings"], **changes)
    return restore_file(Path(about["input"]), target, settings, on_progress, in_segments=True)


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
