"""Strips of Blender's sequencer: finds them, adds placeholders, and shows the restored files.

The restored strip is a duplicate of the original, so it has the same place, transform, crop, colour,
modifiers and speed. It is muted until the result exists. Strips are identified by a mark in a custom
property, because a Python reference becomes invalid by an undo.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import uuid4

import bpy

from .media_range import (
    MediaRange,
    StripTimes,
    content_start_of_part,
    exact_rate,
    used_range,
    whole_range,
)
from .strip_names import get, put

ORIGINAL_MARK, RESULT_MARK, JOB_MARK = "vidrestore_original", "vidrestore_result_of", "vidrestore_job"
"""Names of custom properties: the mark of an original strip; in a result, its original's mark; the mark of a
placeholder."""

_CHANNELS = 128


class StripError(Exception):
    """Why a strip cannot be restored, in one sentence."""


def scene_of(context: Any) -> Any:
    """The scene that the sequencer shows; since Blender 5 it need not be the window's."""
    return getattr(context, "sequencer_scene", None) or context.scene


def selected_movies(context: Any) -> list[Any]:
    """The selected movie strips, without results of earlier runs."""
    strips = _open_strips(context)
    return [s for s in strips if s.select and s.type == "MOVIE" and not s.get(RESULT_MARK)]


def strips_of(owner: Any) -> Any:
    """The strips of an editor or a meta strip; they were named `sequences` before Blender 4.4."""
    return owner.strips if hasattr(owner, "strips") else owner.sequences


def file_of(strip: Any) -> Path:
    """The strip's file. Raises StripError if it is not there."""
    path = Path(bpy.path.abspath(strip.filepath))
    if not path.is_file():
        raise StripError(f"{strip.name}: there is no file {path}")
    return path


def range_of(strip: Any, handles: int) -> MediaRange:
    """The frames of its file that a strip shows, with handles; all frames if it is retimed or reversed.

    Raises:
        StripError: Blender cannot read the file.
    """
    path = file_of(strip)
    try:
        clip = bpy.data.movieclips.load(str(path))
    except RuntimeError as error:
        raise StripError(f"{strip.name}: Blender cannot read {path}") from error
    frames = int(clip.frame_duration)
    bpy.data.movieclips.remove(clip)
    rate = exact_rate(strip.fps)
    if frames < 1 or rate <= 0:
        raise StripError(f"{strip.name}: the length or frame rate of {path} is not known")
    if _is_retimed(strip):
        return whole_range(frames, rate)
    return used_range(_times(strip, frames, rate), frames, rate, handles)


def add_placeholder(strip: Any) -> str:
    """Add a muted duplicate of the strip on a free channel above it. Returns the duplicate's mark.

    The context must be the sequencer's. The selection does not change.
    """
    strips = _open_strips(bpy.context)
    selected, before = {s.name for s in strips if s.select}, {s.name for s in strips}
    for other in strips:
        other.select = other == strip
    mark = strip.get(ORIGINAL_MARK) or uuid4().hex
    strip[ORIGINAL_MARK] = mark
    bpy.ops.sequencer.duplicate()
    (copy,) = [s for s in _open_strips(bpy.context) if s.name not in before]
    del copy[ORIGINAL_MARK]
    job = uuid4().hex
    copy[RESULT_MARK], copy[JOB_MARK] = mark, job
    copy.name = f"{strip.name} (restoring)"
    copy.mute = True
    _move_above(copy, strip, _open_strips(bpy.context))
    for other in _open_strips(bpy.context):
        other.select = other.name in selected
    return job


def show_result(job: str, file: Path, part: MediaRange) -> str:
    """Give the placeholder its file, unmute it, and remove an earlier result. Returns the strip's name.

    Raises:
        StripError: The placeholder is gone, or the file has another length than expected.
    """
    owner, strip = _find(job)
    if strip is None:
        raise StripError(f"the strip was removed meanwhile; its result is {file}")
    left, right = get(strip, "left"), get(strip, "right")
    start = content_start_of_part(_times(strip, part.file_frames, part.rate), part)
    strip.use_proxy = False
    if not part.is_whole:
        put(strip, "trimmed_before", 0)
        put(strip, "trimmed_after", 0)
    strip.filepath = _path_for(file)
    if not part.is_whole:
        put(strip, "content_start", start)
        put(strip, "left", left)
        put(strip, "right", right)
    strip.name = strip.name.replace("(restoring)", "(restored)")
    strip.mute = False
    del strip[JOB_MARK]
    for earlier in list(strips_of(owner)):
        if earlier != strip and _is_replaced_by(earlier, strip):
            strips_of(owner).remove(earlier)
    frames = int(get(strip, "content_frames"))
    if not part.is_whole and frames < part.frames:
        raise StripError(
            f"{file} has {frames} frames instead of {part.frames}; check the strip's start and end"
        )
    return str(strip.name)


def remove_placeholder(job: str) -> None:
    """Removes the placeholder of a job that failed or was cancelled, if it is still there."""
    owner, strip = _find(job)
    if strip is not None:
        strips_of(owner).remove(strip)


def _open_strips(context: Any) -> Any:
    """The strips that the sequencer shows: those of the meta strip that is open, or of the scene."""
    editor = scene_of(context).sequence_editor
    if editor is None:
        return ()
    return strips_of(editor.meta_stack[-1] if editor.meta_stack else editor)


def _times(strip: Any, file_frames: int, rate: Fraction) -> StripTimes:
    hidden_before, hidden_after = (float(get(strip, name)) for name in ("hidden_before", "hidden_after"))
    trimmed_before, trimmed_after = (int(get(strip, name)) for name in ("trimmed_before", "trimmed_after"))
    left, right = int(get(strip, "left")), int(get(strip, "right"))
    render = scene_of(bpy.context).render
    return StripTimes(
        content_frames=file_frames - trimmed_before - trimmed_after,
        trimmed=trimmed_before,
        content_start=left - hidden_before,
        hidden_before=hidden_before,
        shown=right - left,
        hidden_after=hidden_after,
        natural_stretch=float(render.fps / Fraction(render.fps_base).limit_denominator(1001) / rate),
    )


def _is_retimed(strip: Any) -> bool:
    keys = getattr(strip, "retiming_keys", ())
    return len(keys) > 0 or bool(getattr(strip, "use_reverse_frames", False))


def _move_above(copy: Any, strip: Any, strips: Any) -> None:
    """Move the duplicate to the lowest channel above the original that is free at this time."""
    taken = {other.channel for other in strips if other != copy and _overlap(other, strip)}
    copy.channel = next((n for n in range(strip.channel + 1, _CHANNELS + 1) if n not in taken), copy.channel)
    shift = get(strip, "left") - get(copy, "left")
    if shift:
        put(copy, "content_start", get(copy, "content_start") + shift)


def _overlap(one: Any, other: Any) -> bool:
    return bool(get(one, "left") < get(other, "right") and get(one, "right") > get(other, "left"))


def _is_replaced_by(earlier: Any, strip: Any) -> bool:
    is_result = earlier.get(RESULT_MARK) == strip[RESULT_MARK] and not earlier.get(JOB_MARK)
    return is_result and _overlap(earlier, strip)


def _find(job: str) -> tuple[Any, Any]:
    """The owner and the strip with that mark; None, None if it is gone."""
    for scene in bpy.data.scenes:
        if scene.sequence_editor is not None:
            for owner in _owners(scene.sequence_editor):
                for strip in strips_of(owner):
                    if strip.get(JOB_MARK) == job:
                        return owner, strip
    return None, None


def _owners(editor: Any) -> Iterator[Any]:
    yield editor
    waiting = list(strips_of(editor))
    while waiting:
        strip = waiting.pop()
        if strip.type == "META":
            yield strip
            waiting.extend(strips_of(strip))


def _path_for(file: Path) -> str:
    """The path relative to the .blend file, if that is saved and on the same drive; else absolute."""
    if not bpy.data.filepath:
        return str(file)
    try:
        return str(bpy.path.relpath(str(file)))
    except ValueError:
        return str(file)
