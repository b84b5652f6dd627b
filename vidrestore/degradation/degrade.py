"""Writes a degraded copy of a video, a sequence, a picture or a folder of pictures."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from vidrestore.degradation.frames import degrade_frames
from vidrestore.degradation.recipes import RECIPE_NAMES, RECIPES, RecipeName
from vidrestore.errors import InputError, UsageError
from vidrestore.runtime.folders import make_folder
from vidrestore.settings import Settings
from vidrestore.types import Progress, ProgressCallback
from vidrestore.video import Input, make_writer, open_input, probe, read_frames
from vidrestore.video.picture_folder import check_output_folder, pictures_in


def degrade_path(
    source: Path,
    target: Path,
    recipe: RecipeName,
    *,
    seed: int = 0,
    settings: Settings | None = None,
    on_progress: ProgressCallback | None = None,
) -> int:
    """Writes a degraded copy and returns the number of its frames or pictures.

    The same seed gives the same frames. Pixels of the copy correspond to those of the clean original; sound
    and timestamps are copied. The pictures of a folder are degraded independently, by seed and name, as PNG.

    Args:
        source: A video, a picture, a numbered sequence such as shots/%05d.png, or a folder of pictures.
        target: The copy, in the same form. It must not exist, unless `settings.overwrite` is set.
        recipe: One of `RECIPE_NAMES`.
        seed: The random seed.
        settings: How the input is read and the copy is encoded; None: `Settings()`.
        on_progress: Called after each frame.

    Raises:
        InputError: The input cannot be used.
        OutputError: The output cannot be written.
        UsageError: There is no such recipe, or the settings do not fit.
    """
    if recipe not in RECIPES:
        raise UsageError(f"there is no recipe '{recipe}'; there are {', '.join(RECIPE_NAMES)}")
    settings = settings or Settings()
    progress = _Counter(on_progress)
    if source.is_dir():
        _degrade_folder(source, target, recipe, seed, settings, progress)
    else:
        given = open_input(source, **settings.input_options())
        _degrade_video(given, target, recipe, np.random.default_rng(seed), settings, progress)
    return progress.frames


def _degrade_folder(
    source: Path, target: Path, recipe: RecipeName, seed: int, settings: Settings, count: Callable[..., None]
) -> None:
    pictures = pictures_in(source)
    check_output_folder(source, target)
    stems = [path.relative_to(source).with_suffix("") for path in pictures]
    if len(set(stems)) < len(stems):
        twice = next(stem for stem in stems if stems.count(stem) > 1)
        raise InputError(f"two pictures of {source} are called {twice}; rename one of them")
    for path, stem in zip(pictures, stems, strict=True):
        output = target / stem.with_suffix(".png")
        make_folder(output.parent)
        rng = np.random.default_rng([seed, zlib.crc32(stem.as_posix().encode())])
        _degrade_video(open_input(path), output, recipe, rng, settings, count, total=len(pictures))


def _degrade_video(
    given: Input,
    target: Path,
    recipe: RecipeName,
    rng: np.random.Generator,
    settings: Settings,
    count: Callable[..., None],
    *,
    total: int | None = None,
) -> None:
    info = probe(given)
    encoding: dict[str, Any] = settings.encoding_options()
    part = settings.time_range(info.frame_rate)
    frames = read_frames(given, info, **part)
    with make_writer(target, info, source=given, overwrite=settings.overwrite, **part, **encoding) as writer:
        for _, degraded in degrade_frames(frames, RECIPES[recipe], rng):
            writer.write(degraded)
            count(total or info.frame_count)


class _Counter:
    def __init__(self, on_progress: ProgressCallback | None) -> None:
        self.frames = 0
        self._on_progress = on_progress
        self._began = time.monotonic()

    def __call__(self, total: int | None) -> None:
        self.frames += 1
        if self._on_progress is not None:
            seconds = time.monotonic() - self._began
            self._on_progress(Progress(frames=self.frames, total=total, faces=0, seconds=seconds))
