"""File to frames and frames to file; the only importer of PyAV."""

from vidrestore.video.ffmpeg_command import ffmpeg_pipeline
from vidrestore.video.formats.pixel_formats import describe_format
from vidrestore.video.interlacing.detect import (
    FieldMeasure,
    FieldProcessing,
    choose_field_processing,
    measure_fields,
)
from vidrestore.video.reading.frames import read_frames
from vidrestore.video.reading.input import Input
from vidrestore.video.reading.opening import open_input
from vidrestore.video.reading.probe import probe
from vidrestore.video.reading.reread import FrameFingerprint, checksum, reread_frames
from vidrestore.video.writing.atomic_output import check_paths, replace_atomically
from vidrestore.video.writing.make_writer import make_writer
from vidrestore.video.writing.segment_file import (
    SegmentWriter,
    join_segments,
    why_not_joinable,
    why_not_segmented,
)
from vidrestore.video.writing.writer import VideoWriter

__all__ = [
    "FieldMeasure",
    "FieldProcessing",
    "FrameFingerprint",
    "Input",
    "SegmentWriter",
    "VideoWriter",
    "check_paths",
    "checksum",
    "choose_field_processing",
    "describe_format",
    "ffmpeg_pipeline",
    "join_segments",
    "make_writer",
    "measure_fields",
    "open_input",
    "probe",
    "read_frames",
    "replace_atomically",
    "reread_frames",
    "why_not_joinable",
    "why_not_segmented",
]
