"""Reads frames again, with the faces that the first pass tracked in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter

from vidrestore.jobs.frame_records import FrameRecord
from vidrestore.pipeline import ITEMS_AHEAD
from vidrestore.runtime.pipeline_threads import Prefetch
from vidrestore.types import Frame, FrameFaces, TrackedFace
from vidrestore.video import OpenedVideo, reread_frames

_AHEAD_BYTES = 128 * 2**20


def reread(opened: OpenedVideo, records: Sequence[FrameRecord]) -> Prefetch[Frame]:
    """The frames of `records`; two for each interlaced frame if fields are restored."""
    fingerprints = [record.fingerprint for record in records]
    frames = reread_frames(opened.input, opened.info, fingerprints)
    frames = opened.field_processing.split_fields(frames)
    return Prefetch(frames, items=ITEMS_AHEAD, max_bytes=_AHEAD_BYTES, size_of=attrgetter("nbytes"))


def with_tracked_faces(
    frames: Iterable[Frame], records: Sequence[FrameRecord]
) -> Iterator[FrameFaces[TrackedFace]]:
    """The frames with the faces of their records, without frames that only deinterlacing needs."""
    by_index = {record.fingerprint.index: record for record in records}
    for frame in frames:
        record = by_index[frame.index]
        moment = int(frame.second_field)
        if record.faces:  # empty: needed for deinterlacing only
            yield FrameFaces(frame=frame, faces=record.faces[moment], scene=record.scenes[moment])
