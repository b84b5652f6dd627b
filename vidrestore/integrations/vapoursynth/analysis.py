"""Tracks the faces of a clip in order and keeps the results, so that any frame can be restored again.

Detection and tracking need the frames in order. Their results are kept, about 200 bytes for a frame with one
face. With them, the restored frame depends on a few frames around it only.
"""

from __future__ import annotations

from collections.abc import Iterator

from vidrestore.detection import FaceDetector, detect
from vidrestore.identity import LazyRecogniser
from vidrestore.integrations.vapoursynth.frame_queue import FrameQueue
from vidrestore.jobs.frame_records import pack_faces, unpack_faces
from vidrestore.pipeline import chosen_faces
from vidrestore.settings import Settings
from vidrestore.tracking import track
from vidrestore.types import Frame, FrameFaces, TrackedFace


class Analysis:
    """Tracked faces of the frames from `first` on; analysed once, step by step."""

    def __init__(self, first: int, frames: FrameQueue, detector: FaceDetector, settings: Settings) -> None:
        self.first = first
        self.next_read = first
        """The number of the next frame that detection reads."""
        self._frames = frames
        self._records: list[tuple[int, bytes]] = []
        detected = detect(self._unread_frames(), detector, min_face=settings.min_face)
        tracked = track(detected, recogniser=LazyRecogniser(settings.device))
        self._tracked = chosen_faces(tracked, settings)

    @property
    def stop(self) -> int:
        """The number of the first frame whose faces are not known yet."""
        return self.first + len(self._records)

    def reads(self, begin: int, count: int) -> Iterator[int]:
        """The numbers of the frames that `items(begin)` reads, in order, in a clip of `count` frames."""
        yield from range(begin, self.stop)
        yield from range(self.next_read, count)

    def items(self, begin: int) -> Iterator[FrameFaces[TrackedFace]]:
        """The frames from `begin` on with their faces; detection runs on new frames only."""
        for number in range(begin, self.stop):
            frame = self._frames.take()
            if frame is None:
                return
            scene, faces = self._records[number - self.first]
            yield FrameFaces(frame=frame, faces=unpack_faces(faces, 1)[0], scene=scene)
        for item in self._tracked:
            self._records.append((item.scene, pack_faces([item.faces])))
            if item.frame.index >= begin:
                yield item

    def _unread_frames(self) -> Iterator[Frame]:
        while (frame := self._frames.take()) is not None:
            self.next_read = frame.index + 1
            yield frame
