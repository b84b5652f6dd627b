"""The calls for Python: paths and settings in, a report out. They leave the process as it was."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from vidrestore.runtime.cancellation import cancellable
from vidrestore.runtime.signals import deferred_interrupts
from vidrestore.settings import make_settings
from vidrestore.settings_keywords import EngineName, SettingsKeywords
from vidrestore.types import ProgressCallback, Report

if TYPE_CHECKING:
    from vidrestore.inspection import Inspection
    from vidrestore.jobs.preview import Preview, Variant


def restore(
    input: str | PathLike[str],
    output: str | PathLike[str],
    *,
    config: str | PathLike[str] | None = None,
    on_progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
    **settings: Unpack[SettingsKeywords],
) -> Report:
    """A report of what was done, once the video with its faces restored is at `output`.

    Args:
        input: A video or a picture; shots/%05d.png for a sequence of pictures; - for standard input.
        output: Where the result goes, likewise; - for standard output.
        config: A YAML file of settings; those given as keywords win over it.
        on_progress: Called with a `Progress` as frames are written, in the calling thread.
        cancel: Ends the run once it is set, from any thread. Then there is no output; of a film that is
            restored in segments those that are done are kept, and `resume` goes on from there.
        settings: The fields of `vidrestore.Settings`, such as `strength=0.8, faces=[0, 2]`; None: not given.

    Returns:
        Counts of frames and faces, warnings, and times.

    Raises:
        VidrestoreError: what the caller can put right, by a subclass; then there is no output.
        CancelledError: `cancel` was set.
    """
    checked = make_settings(None if config is None else Path(fspath(config)), **settings)
    from vidrestore.jobs import restore_file  # torch and PyAV are loaded once there is work for them

    with deferred_interrupts(), cancellable(cancel):
        return restore_file(Path(fspath(input)), Path(fspath(output)), checked, on_progress)


def resume(
    output: str | PathLike[str],
    *,
    on_progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
    workers: int | None = None,
    engine: EngineName | None = None,
) -> Report:
    """A report of what was done, once an interrupted `restore` has been continued and `output` is complete.

    Args:
        output: As that `restore` was given it; its other settings are those of that run as well.
        on_progress: As `restore` takes it.
        cancel: As `restore` takes it.
        workers: Segments restored at the same time; None: as in that run.
        engine: local or ray; None: as in that run.

    Returns:
        Counts of frames and faces, warnings, and times, of the whole video.

    Raises:
        UsageError: there is no interrupted run, or its input has changed since.
        VidrestoreError: as of `restore`.
    """
    from vidrestore.jobs import resume_file

    with deferred_interrupts(), cancellable(cancel):
        return resume_file(Path(fspath(output)), on_progress, workers=workers, engine=engine)


def inspect(
    input: str | PathLike[str],
    *,
    on_progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
    **settings: Unpack[SettingsKeywords],
) -> Inspection:
    """The scenes of a video and the faces that `restore` with the same settings would restore.

    Args:
        input: As `restore` takes it. Nothing is written.
        on_progress: Called with a `Progress` for each frame that was looked at.
        cancel: Ends the work once it is set.
        settings: As `restore` takes them.

    Returns:
        Scenes and faces.

    Raises:
        VidrestoreError: what the caller can put right, by a subclass.
        CancelledError: `cancel` was set.
    """
    checked = make_settings(**settings)
    from vidrestore.inspection import inspect_video

    with deferred_interrupts(), cancellable(cancel):
        return inspect_video(Path(fspath(input)), checked, on_progress)


def preview(
    input: str | PathLike[str],
    at: float | Sequence[float],
    *,
    variants: Sequence[Variant] = (),
    on_progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
    **settings: Unpack[SettingsKeywords],
) -> tuple[Preview, ...]:
    """The frames of a video at the times `at`, before and after `restore` with the same settings.

    Args:
        input: As `restore` takes it. Nothing is written.
        at: Seconds from the first frame.
        variants: Settings to compare.
        on_progress: Called with a `Progress` for each frame that was looked at.
        cancel: Ends the work once it is set.
        settings: As `restore` takes them.

    Returns:
        A preview for each time, in order.

    Raises:
        VidrestoreError: what the caller can put right, by a subclass.
        CancelledError: `cancel` was set.
    """
    checked = make_settings(**settings)
    from vidrestore.jobs.preview import preview_video

    times = [at] if isinstance(at, (int, float)) else list(at)
    with deferred_interrupts(), cancellable(cancel):
        return preview_video(Path(fspath(input)), times, checked, variants, on_progress)
