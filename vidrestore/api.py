"""The calls for Python: paths and settings in, a report out."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from vidrestore.runtime.cancellation import cancellable
from vidrestore.runtime.device import limit_openmp_spin
from vidrestore.runtime.malloc import use_single_arena
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
    """What was done to `input`, once the video with its faces restored is at `output`.

    Args:
        input: A video or a picture; shots/%05d.png for a sequence of pictures; - for standard input.
        output: Where the result goes, likewise; - for standard output.
        config: A YAML file of settings; those given as keywords win over it.
        on_progress: Called with a `Progress` as frames are written, in the calling thread.
        cancel: Ends the run once it is set, from any thread. Then there is no output; of a film that is
            restored in segments those that are done are kept, and `resume` goes on from there.
        settings: The fields of `vidrestore.Settings`, such as `strength=0.8, faces=[0, 2]`; None: not given.

    Raises:
        VidrestoreError: what the caller can put right, by a subclass; then there is no output.
        CancelledError: `cancel` was set.
    """
    checked = make_settings(None if config is None else Path(fspath(config)), **settings)
    _set_up_process()
    from vidrestore.jobs import restore_file  # torch and PyAV are loaded once there is work for them

    with cancellable(cancel):
        return restore_file(Path(fspath(input)), Path(fspath(output)), checked, on_progress)


def resume(
    output: str | PathLike[str],
    *,
    on_progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
    workers: int | None = None,
    engine: EngineName | None = None,
) -> Report:
    """What was done, once the film that an interrupted `restore` was making is whole at `output`.

    Args:
        output: As that `restore` was given it; its other settings are those of that run as well.
        on_progress: As `restore` takes it.
        cancel: As `restore` takes it.
        workers: Segments restored at the same time; None: as in that run.
        engine: local or ray; None: as in that run.

    Raises:
        UsageError: there is no interrupted run, or its input has changed since.
        VidrestoreError: as of `restore`.
    """
    _set_up_process()
    from vidrestore.jobs import resume_file

    with cancellable(cancel):
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

    Raises:
        VidrestoreError: what the caller can put right, by a subclass.
        CancelledError: `cancel` was set.
    """
    checked = make_settings(**settings)
    _set_up_process()
    from vidrestore.inspection import inspect_video

    with cancellable(cancel):
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

    Raises:
        VidrestoreError: what the caller can put right, by a subclass.
        CancelledError: `cancel` was set.
    """
    checked = make_settings(**settings)
    _set_up_process()
    from vidrestore.jobs.preview import preview_video

    times = [at] if isinstance(at, (int, float)) else list(at)
    with cancellable(cancel):
        return preview_video(Path(fspath(input)), times, checked, variants, on_progress)


def _set_up_process() -> None:
    """What must be said before torch is loaded and threads begin."""
    limit_openmp_spin()
    use_single_arena()
