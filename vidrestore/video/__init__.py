"""Reads files to frames and writes frames to files; the only package that imports PyAV."""

from vidrestore.video.codec_stream import stream_through_h264
from vidrestore.video.ffmpeg_command import ffmpeg_pipeline
from vidrestore.video.formats.pixel_formats import describe_format
from vidrestore.video.interlacing.field_meter import FieldMeasure
from vidrestore.video.interlacing.field_processing import FieldProcessing, choose_field_processing
from vidrestore.video.opened_video import OpenedVideo, open_video
from vidrestore.video.pyav_pictures import frame_from_pyav, is_pyav_picture, pyav_from_frame
from vidrestore.video.reading.frames import key_frame_near, read_frames
from vidrestore.video.reading.input import Input
from vidrestore.video.reading.look import look_at
from vidrestore.video.reading.opening import is_broadcast, open_input
from vidrestore.video.reading.probe import probe
from vidrestore.video.reading.reread import FrameFingerprint, checksum, reread_frames, tick_at
from vidrestore.video.reading.stream_digest import StreamDigest, sound_digests
from vidrestore.video.writing.atomic_output import check_paths, place_output, remove_leftovers
from vidrestore.video.writing.make_writer import make_writer
from vidrestore.video.writing.mask_writer import make_mask_writer
from vidrestore.video.writing.packet_file import is_whole_segment
from vidrestore.video.writing.segment_join import join_segments
from vidrestore.video.writing.segment_support import why_not_joinable, why_not_segmented
from vidrestore.video.writing.segment_writer import SegmentWriter
from vidrestore.video.writing.writer import VideoWriter

__all__ = [
    "FieldMeasure",
    "FieldProcessing",
    "FrameFingerprint",
    "Input",
    "OpenedVideo",
    "SegmentWriter",
    "StreamDigest",
    "VideoWriter",
    "check_paths",
    "checksum",
    "choose_field_processing",
    "describe_format",
    "ffmpeg_pipeline",
    "frame_from_pyav",
    "is_broadcast",
    "is_pyav_picture",
    "is_whole_segment",
    "join_segments",
    "key_frame_near",
    "look_at",
    "make_mask_writer",
    "make_writer",
    "open_input",
    "open_video",
    "place_output",
    "probe",
    "pyav_from_frame",
    "read_frames",
    "remove_leftovers",
    "reread_frames",
    "sound_digests",
    "stream_through_h264",
    "tick_at",
    "why_not_joinable",
    "why_not_segmented",
]
