"""The Python interface for files. It does not change settings of the process, such as signal handlers."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from os import PathLike
from typing import TYPE_CHECKING, Unpack

from vidrestore.call_arguments import check_callbacks, path_of, times_of
from vidrestore.notebook import progress_bar
from vidrestore.runtime.cancellation import cancellable
from vidrestore.runtime.signals import deferred_interrupts
from vidrestore.settings import make_settings
from vidrestore.settings.keywords import EngineName, SettingsKeywords
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
    """Restores the faces of a video and returns a report when `output` is complete.

    Args:
        input: A video or a picture; a sequence of pictures as shots/%05d.png; - for standard input.
        output: The file to write, in the same forms; - for standard output.
        config: A YAML file of settings; keyword arguments win over it.
        on_progress: Called with a `Progress` after each written frame, in the calling thread. None: a
            notebook shows a progress bar.
        cancel: Ends the run when it is set, from any thread. Then there is no output. Finished segments of a
            long video are kept, and `resume` continues after them.
        settings: The fields of `vidrestore.Settings`, such as `strength=0.8, faces=[0, 2]`; None: not given.

    Returns:
        Counts of frames and faces, warnings, and times.

    Raises:
        VidrestoreError: Something that the caller can correct; the subclass says what. There is no output.
        CancelledError: `cancel` was set.
    """
    checked = make_settings(None if config is None else path_of(config, "config"), **settings)
    from vidrestore.jobs import restore_file  # here, because it loads torch and PyAV

    check_callbacks(on_progress, cancel)
    with deferred_interrupts(), cancellable(cancel):
        return restore_file(
            path_of(input, "input"), path_of(output, "output"), checked, on_progress or progress_bar()
        )


def resume(
    output: str | PathLike[str],
    *,
    on_progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
    workers: int | None = None,
    engine: EngineName | None = None,
) -> Report:
    """Continues an interrupted `restore` and returns a report when `output` is complete.

    Args:
        output: The same as for that run. Its other settings are used again.
        on_progress: As for `restore`.
        cancel: As for `restore`.
        workers: Segments to restore at the same time; None: as in that run.
        engine: local or ray; None: as in that run.

    Returns:
        Counts of frames and faces, warnings, and times, for the whole video.

    Raises:
        UsageError: There is no interrupted run, or its input has changed since.
        VidrestoreError: As for `restore`.
    """
    from vidrestore.jobs import resume_file

    check_callbacks(on_progress, cancel)
    with deferred_interrupts(), cancellable(cancel):
        return resume_file(
            path_of(output, "output"), on_progress or progress_bar(), workers=workers, engine=engine
        )


def inspect(
    input: str | PathLike[str],
    *,
    on_progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
    **settings: Unpack[SettingsKeywords],
) -> Inspection:
    """The scenes of a video, and the faces that `restore` would restore with the same settings.

    Args:
        input: As for `restore`. Nothing is written.
        on_progress: Called with a `Progress` after each examined frame.
        cancel: Ends the work when it is set, from any thread.
        settings: As for `restore`.

    Returns:
        Scenes and faces.

    Raises:
        VidrestoreError: Something that the caller can correct; the subclass says what.
        CancelledError: `cancel` was set.
    """
    checked = make_settings(**settings)
    from vidrestore.inspection import inspect_video

    check_callbacks(on_progress, cancel)
    with deferred_interrupts(), cancellable(cancel):
        return inspect_video(path_of(input, "input"), checked, on_progress)


def preview(
    input: str | PathLike[str],
    at: float | Sequence[float],
    *,
    variants: Sequence[Variant] | None = None,
    on_progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
    **settings: Unpack[SettingsKeywords],
) -> tuple[Preview, ...]:
    """Frames of a video before and after `restore` with the same settings.

    Args:
        input: As for `restore`. Nothing is written.
        at: One time or several, in seconds from the first frame.
        variants: Settings to compare, 1 to 64; None: only those of `settings`.
        on_progress: Called with a `Progress` after each examined frame.
        cancel: Ends the work when it is set, from any thread.
        settings: As for `restore`.

    Returns:
        One preview for each time, in order.

    Raises:
        VidrestoreError: Something that the caller can correct; the subclass says what.
        CancelledError: `cancel` was set.
    """
    checked = make_settings(**settings)
    from vidrestore.jobs.preview import preview_video

    times = times_of(at)
    check_callbacks(on_progress, cancel)
    with deferred_interrupts(), cancellable(cancel):
        return preview_video(path_of(input, "input"), times, checked, variants, on_progress)
