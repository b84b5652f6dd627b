"""Connects the stages in order and restores a video. Only this package knows the order of the stages.

path ─video─▶ Frame ─detection─▶ Detection ─tracking─▶ TrackedFace ─alignment─▶ AlignedFace
     ─restoration─▶ RestoredFace ─compositing─▶ Frame ─video─▶ file

Four threads work at the same time, each ahead of the next up to a limit of bytes: one decodes; one detects,
tracks and aligns faces; one restores and composites them; and the caller's thread encodes. Each stage runs
in one thread, in order, so the result does not depend on their speed.
"""

from vidrestore.pipeline.extent import expected_frames, output_info, output_size
from vidrestore.pipeline.network_loader import NetworkLoader
from vidrestore.pipeline.queue_limits import ITEMS_AHEAD
from vidrestore.pipeline.restore import make_output_writer, open_input_video, restore_opened, restore_video
from vidrestore.pipeline.tracked_faces import restore_tracked, restore_tracked_faces
from vidrestore.pipeline.treatments import chosen_faces, without_excluded

__all__ = [
    "ITEMS_AHEAD",
    "NetworkLoader",
    "chosen_faces",
    "expected_frames",
    "make_output_writer",
    "open_input_video",
    "output_info",
    "output_size",
    "restore_opened",
    "restore_tracked",
    "restore_tracked_faces",
    "restore_video",
    "without_excluded",
]
