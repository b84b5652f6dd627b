"""Finds the part of its medium that each clip of an edit shows.

Clips may be trimmed, retimed, nested, or extended by transitions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import opentimelineio as otio

from vidrestore.integrations.edit.spans import Span, seconds, span


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedClip:
    """A clip that the edit shows."""

    clip: otio.schema.Clip
    span: Span | None
    """The shown part in the medium's time, which begins at its `available_range`; None: unknown, so all of
    it."""


def find_used_clips(root: otio.core.SerializableObject) -> Iterator[UsedClip]:
    """The clips that the edit shows, once for each place where they are used.

    Audio tracks and disabled items are left out.
    """
    if isinstance(root, otio.schema.SerializableCollection):
        for child in root:
            yield from find_used_clips(child)
    elif isinstance(root, otio.schema.Timeline):
        yield from _clips_of(root.tracks, None)
    elif isinstance(root, otio.core.Item):
        yield from _clips_of(root, None)


def _clips_of(item: otio.core.Item, window: Span | None) -> Iterator[UsedClip]:
    """`window`: the part of the item that its parent shows, in the item's own time; None: all of it."""
    if not item.enabled or _is_audio(item):
        return
    needed = _needed(item, window)
    if isinstance(item, otio.schema.Clip):
        yield UsedClip(clip=item, span=needed)
    elif isinstance(item, otio.core.Composition):
        for child in item:
            if isinstance(child, otio.core.Item):
                shown = _shown_part(item, child, needed)
                if shown is None or not shown.is_empty:
                    yield from _clips_of(child, shown)


def _is_audio(item: otio.core.Item) -> bool:
    return isinstance(item, otio.schema.Track) and item.kind == otio.schema.TrackKind.Audio


def _shown_part(parent: otio.core.Composition, child: otio.core.Item, needed: Span | None) -> Span | None:
    """The part of `child` that is in the part `needed` of `parent`, in the child's own time."""
    try:
        placed = span(parent.range_of_child(child))
        own = span(child.trimmed_range())
    except otio.exceptions.OTIOError:
        return None  # a sibling has no stated length, so the child's place is unknown
    if isinstance(parent, otio.schema.Track):
        head, tail = parent.handles_of_child(child)
        placed = placed.widen(_length(head), _length(tail))
        begin = own.start - _length(head)
    else:
        begin = own.start
    visible = placed if needed is None else placed.intersect(needed)
    return visible.shift(begin - placed.start)


def _length(time: otio.opentime.RationalTime | None) -> Fraction:
    return Fraction(0) if time is None else seconds(time)


def _needed(item: otio.core.Item, window: Span | None) -> Span | None:
    """The part of the item's content that is needed to show `window`.

    Programs differ in whether a retimed item's range is before or after the retiming, and in where a reversed
    item starts. The span covers all of these cases.
    """
    try:
        own = span(item.trimmed_range())
        frame = 1 / Fraction(item.trimmed_range().duration.rate).limit_denominator(100_000)
    except otio.exceptions.OTIOError:
        return None
    window = window or own
    speeds = _speeds(item)
    if speeds is None:
        return None
    if speeds == {0}:
        return Span(own.start, own.start + frame)
    ends = [(end - own.start) * speed for end in (window.start, window.end) for speed in speeds]
    return Span(own.start + min(ends), own.start + max(ends))


def _speeds(item: otio.core.Item) -> set[Fraction] | None:
    """Possible factors between shown time and the content's time; {0}: a still; None: unknown."""
    factor = Fraction(1)
    for effect in item.effects:
        if isinstance(effect, otio.schema.LinearTimeWarp):  # a freeze frame has factor 0
            if not math.isfinite(effect.time_scalar):
                return None
            factor *= Fraction(effect.time_scalar).limit_denominator(1_000_000)
        elif isinstance(effect, otio.schema.TimeEffect):
            return None
    return {factor} if factor in (0, 1) else {Fraction(1), factor, abs(factor)}
