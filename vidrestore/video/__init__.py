"""File to frames and frames to file; the only importer of PyAV."""

from vidrestore.video.again import Seen, checksum, read_again
from vidrestore.video.command_lines import ffmpeg_pipeline
from vidrestore.video.formats import describe_format
from vidrestore.video.input import Input, open_input
from vidrestore.video.interlacing import FieldMeasure, Scan, choose_scan, measure_fields
from vidrestore.video.outputs import make_writer
from vidrestore.video.parts import PartWriter, join_parts, why_not_joined, why_whole
from vidrestore.video.paths import check_paths
from vidrestore.video.probe import probe
from vidrestore.video.reader import read_frames
from vidrestore.video.target import put_in_place
from vidrestore.video.writer import VideoWriter

__all__ = [
    "FieldMeasure",
    "Input",
    "PartWriter",
    "Scan",
    "Seen",
    "VideoWriter",
    "check_paths",
    "checksum",
    "choose_scan",
    "describe_format",
    "ffmpeg_pipeline",
    "join_parts",
    "make_writer",
    "measure_fields",
    "open_input",
    "probe",
    "put_in_place",
    "read_again",
    "read_frames",
    "why_not_joined",
    "why_whole",
]
