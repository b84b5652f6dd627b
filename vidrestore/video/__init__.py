"""File to frames and frames to file; the only importer of PyAV."""

from vidrestore.video.formats import describe_format
from vidrestore.video.paths import check_paths
from vidrestore.video.probe import probe
from vidrestore.video.reader import read_frames
from vidrestore.video.writer import VideoWriter

__all__ = ["VideoWriter", "check_paths", "describe_format", "probe", "read_frames"]
