"""The one call for Python: paths and settings in, a report out."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidrestore.runtime.device import limit_openmp_spin
from vidrestore.runtime.malloc import use_single_arena
from vidrestore.settings import EngineName, make_settings
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
    **settings: Any,
) -> Report:
    """What was done to `input`, once the video with its faces restored is at `output`.

    `settings` are the fields of `vidrestore.Settings`; they win over those in the YAML file `config`, and
    None means not given. `on_progress` is called with a `Progress` now and then, from the calling thread.
    `-` is standard input or output, shots/%05d.png a sequence of pictures.
    Raises a subclass of `VidrestoreError` for what the caller can put right; then there is no output.
    """
    checked = make_settings(None if config is None else Path(fspath(config)), **settings)
    _set_up_process()
    from vidrestore.jobs import restore_file  # torch and PyAV are loaded once there is work for them

    return restore_file(Path(fspath(input)), Path(fspath(output)), checked, on_progress)


def resume(
    output: str | PathLike[str],
    *,
    on_progress: ProgressCallback | None = None,
    workers: int | None = None,
    engine: EngineName | None = None,
) -> Report:
    """What was done, once the film that an interrupted `restore` was making is whole at `output`.

    It uses the settings of the interrupted run; only `workers` and `engine` may differ. Raises a subclass of
    `VidrestoreError`: UsageError if there is no interrupted run, or its input has changed since.
    """
    _set_up_process()
    from vidrestore.jobs import resume_file

    return resume_file(Path(fspath(output)), on_progress, workers=workers, engine=engine)


def inspect(
    input: str | PathLike[str], *, on_progress: ProgressCallback | None = None, **settings: Any
) -> Inspection:
    """The scenes of a video and the faces that `restore` with the same `settings` would restore.

    Writes nothing. Raises a subclass of `VidrestoreError` for what the caller can put right.
    """
    checked = make_settings(**settings)
    _set_up_process()
    from vidrestore.inspection import inspect_video

    return inspect_video(Path(fspath(input)), checked, on_progress)


def preview(
    input: str | PathLike[str],
    at: float | Sequence[float],
    *,
    variants: Sequence[Variant] = (),
    on_progress: ProgressCallback | None = None,
    **settings: Any,
) -> tuple[Preview, ...]:
    """The frames of a video at the times `at`, before and after `restore` with the same `settings`.

    `at` is in seconds from the first frame; `variants` are settings to compare. Writes nothing. Raises a
    subclass of `VidrestoreError` for what the caller can put right.
    """
    checked = make_settings(**settings)
    _set_up_process()
    from vidrestore.jobs.preview import preview_video

    times = [at] if isinstance(at, (int, float)) else list(at)
    return preview_video(Path(fspath(input)), times, checked, variants, on_progress)


def _set_up_process() -> None:
    """What must be said before torch is loaded and threads begin."""
    limit_openmp_spin()
    use_single_arena()
