"""Interlaced pictures: split into two moments, merged again, or deinterlaced.

A network cannot restore a face in a combed picture, but it can in each of its fields. `split` returns both
fields as full pictures: bwdif interpolates the missing lines. The stages after it see twice as many frames,
without combing. `weave` takes from each picture the lines of its own field. bwdif does not change those, so
unrestored pixels stay identical.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace

import av
import numpy as np

from vidrestore.errors import UsageError
from vidrestore.types import FieldOrder, Frame, PixelFormat, Plane
from vidrestore.video.formats import pixel_formats
from vidrestore.video.formats.filter_graph import FilterGraph

_PARITY = {"top": "tff", "bottom": "bff", "progressive": "tff"}


def split(frames: Iterable[Frame], order: FieldOrder) -> Iterator[Frame]:
    """Two progressive frames for each interlaced one, its earlier field first; with a delay of one frame.

    Both have the picture's index; the time of the second is half way to the next picture.
    """
    waiting: deque[Frame] = deque()
    step, is_second = 1, False
    for planes in _run_bwdif(frames, "send_field", order, waiting):
        frame = waiting[0]
        if not is_second:
            yield replace(frame, planes=planes)
        else:
            waiting.popleft()
            step = max(waiting[0].pts - frame.pts if waiting else frame.duration or step, 1)
            pts, half = 2 * frame.pts + step, frame.time_base / 2
            yield replace(frame, planes=planes, second_field=True, pts=pts, duration=step, time_base=half)
        is_second = not is_second


def weave(frames: Iterable[Frame], order: FieldOrder) -> Iterator[Frame]:
    """One interlaced frame for each two of `split`, with the lines of each one's own field."""
    first: Frame | None = None
    for frame in frames:
        if not frame.second_field:
            first = frame
            continue
        assert first is not None
        later = 1 if order != "bottom" else 0  # the first line of the second field
        yield replace(
            first,
            planes=tuple(_weave_plane(a, b, later) for a, b in zip(first.planes, frame.planes, strict=True)),
        )
        first = None


def deinterlace(frames: Iterable[Frame], order: FieldOrder) -> Iterator[Frame]:
    """One progressive frame for each frame, at the same time: its earlier field, completed by bwdif."""
    waiting: deque[Frame] = deque()
    for planes in _run_bwdif(frames, "send_frame", order, waiting):
        yield replace(waiting.popleft(), planes=planes)


def _run_bwdif(
    frames: Iterable[Frame], mode: str, order: FieldOrder, waiting: deque[Frame]
) -> Iterator[tuple[Plane, ...]]:
    """The planes from bwdif; their source frames are added to `waiting`, and the caller removes them."""
    graph: FilterGraph | None = None
    for number, frame in enumerate(frames):
        if graph is None:
            form, name = frame.format, _carrier(frame.format)
            arguments = f"mode={mode}:parity={_PARITY[order]}:deint=all"
            graph = FilterGraph(name, frame.width, frame.height, frame.time_base, ("bwdif", arguments))
        waiting.append(frame)
        picture = pixel_formats.pack(frame.planes, name)
        picture.pts, picture.time_base = number, frame.time_base  # the filter only passes them on
        yield from (_planes(filtered, form, name) for filtered in graph.filter(picture))
    if graph is not None:
        graph.push(None)
        yield from (_planes(filtered, form, name) for filtered in graph.pull())


def _carrier(form: PixelFormat) -> str:
    """A format with the same codes that bwdif supports; with alpha or in grey these are few."""
    uncommon = form.has_alpha or form.family == "gray"
    return re.sub(r"\d+le$", "16le", form.name) if uncommon and form.bit_depth > 8 else form.name


def _planes(picture: av.VideoFrame, form: PixelFormat, carrier: str) -> tuple[Plane, ...]:
    if picture.format.name != carrier:
        # For other formats FFmpeg would convert silently, and pixels would change.
        raise UsageError(f"{form.name} video cannot be split into fields; convert it first")
    planes = pixel_formats.unpack(picture)
    peak = (1 << form.bit_depth) - 1
    return planes if carrier == form.name else tuple(np.minimum(plane, peak) for plane in planes)


def _weave_plane(first: Plane, second: Plane, later: int) -> Plane:
    plane: Plane = first.copy()
    plane[later::2] = second[later::2]
    return plane
