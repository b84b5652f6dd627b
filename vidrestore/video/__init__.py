"""File to frames and frames to file; the only importer of PyAV."""

from vidrestore.video.formats import describe_format
from vidrestore.video.interlacing import FieldMeasure, Scan, choose_scan, measure_fields
from vidrestore.video.paths import check_paths
from vidrestore.video.probe import probe
from vidrestore.video.reader import read_frames
from vidrestore.video.writer import VideoWriter

__all__ = [
    "FieldMeasure",
    "Scan",
    "VideoWriter",
    "check_paths",
    "choose_scan",
    "describe_format",
    "measure_fields",
    "probe",
    "read_frames",
]
