"""Adds a second media reference to clips: editors can switch between the original and the restored medium."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import opentimelineio as otio

from vidrestore.integrations.edit.media_files import (
    METADATA,
    RESTORED_KEY,
    Medium,
    origin,
    original_reference,
    rate_of,
    time_at,
    url_like,
)
from vidrestore.integrations.edit.plan import EditPart
from vidrestore.integrations.edit.record import RestoredFile


def add_restored_reference(
    clip: otio.schema.Clip, medium: Medium, part: EditPart, restored: RestoredFile, path: Path, folder: Path
) -> None:
    """Add the restored medium to the clip under `RESTORED_KEY`; the original keeps its own key.

    Args:
        clip: The clip to change; its range stays valid, because both media have the same times.
        medium: The clip's original medium.
        part: The part of it that was restored.
        restored: The record of the result.
        path: The result's file; for a sequence, its folder.
        folder: The folder of the timeline that will be written.
    """
    key, original = original_reference(clip)
    reference = _reference(clip, original, medium, part, restored, path, folder)
    reference.name = original.name
    reference.metadata[METADATA] = {"original_key": key, "first_frame": part.first, "made_by": "vidrestore"}
    references = dict(clip.media_references())
    references[RESTORED_KEY] = reference
    clip.set_media_references(references, key)


def show(clip: otio.schema.Clip, *, restored: bool) -> None:
    """Make the restored or the original reference the active one."""
    key, _ = original_reference(clip)
    if RESTORED_KEY in clip.media_references():
        clip.active_media_reference_key = RESTORED_KEY if restored else key


def _reference(
    clip: otio.schema.Clip,
    original: otio.core.MediaReference,
    medium: Medium,
    part: EditPart,
    restored: RestoredFile,
    path: Path,
    folder: Path,
) -> otio.core.MediaReference:
    rate = rate_of(clip, original, part.source.rate)
    if part.is_whole and original.available_range is not None:
        available = original.available_range
    else:
        begin = origin(medium) + _seconds_from_start(medium, part)
        available = otio.opentime.TimeRange(
            time_at(begin, rate), time_at(restored.frames / part.source.rate, rate)
        )
    if isinstance(original, otio.schema.ImageSequenceReference):
        made = otio.schema.ImageSequenceReference(
            target_url_base=url_like(original.target_url_base, path, folder),
            name_prefix=original.name_prefix,
            name_suffix=original.name_suffix,
            start_frame=restored.first_number or 0,
            frame_step=1,
            rate=original.rate,
            frame_zero_padding=original.frame_zero_padding,
            available_range=available,
        )
        return made
    assert isinstance(original, otio.schema.ExternalReference)
    return otio.schema.ExternalReference(
        target_url=url_like(original.target_url, path, folder), available_range=available
    )


def _seconds_from_start(medium: Medium, part: EditPart) -> Fraction:
    """Time from the medium's first picture to the first restored one."""
    offset = 0
    if medium.first_number is not None and part.source.first_number is not None:
        offset = medium.first_number - part.source.first_number
    return (part.first - offset) / part.source.rate
