"""The demuxers of FFmpeg that may read an input, and messages for files that need another one.

Some of FFmpeg's demuxers read texts that name other files, servers or devices: playlists, scripts, session
descriptions. A file from an untrusted source could make them connect to a network, wait for a pipe, or read
another file. So only demuxers of files that contain all their data are allowed, and only the file protocol.
"""

from __future__ import annotations

import av

from vidrestore.video.reading.decoder import NOT_WHEN_OPENING

_VIDEO = (
    "apng", "asf", "av1", "avi", "avs2", "avs3", "cavsvideo", "cine", "dhav", "dirac", "dnxhd", "dv", "evc",
    "flv", "gif", "gxf", "h261", "h263", "h264", "hevc", "ingenient", "ivf", "jpegxl_anim", "kux", "live_flv",
    "lxf", "m4v", "matroska", "mjpeg", "mjpeg_2000", "mlv", "mods", "mov", "mpeg", "mpegts", "mpegvideo",
    "mpjpeg", "mtv", "mxf", "mxg", "nsv", "nut", "nuv", "obu", "ogg", "pva", "rawvideo", "rm", "ser", "swf",
    "ty", "vc1", "vc1test", "vvc", "wtv", "xmv", "yuv4mpegpipe",
)  # fmt: skip
_SOUND = ("aac", "ac3", "aiff", "au", "caf", "eac3", "flac", "mp3", "w64", "wav")
"""Allowed only so that the error can say that they contain no video."""
_CINEMATICS = (
    "4xm", "bethsoftvid", "bfi", "bink", "cdxl", "dxa", "ea", "film_cpk", "flic", "idcin", "psxstr", "roq",
    "smk", "vmd", "wc3movie",
)  # fmt: skip
"""Formats of videos in old games."""
_PICTURES = (
    "bmp_pipe", "dds_pipe", "dpx_pipe", "exr_pipe", "fits", "hdr_pipe", "ico", "image2", "j2k_pipe",
    "jpeg_pipe", "jpegls_pipe", "jpegxl_pipe", "jpegxs_pipe", "pam_pipe", "pbm_pipe", "pcx_pipe", "pfm_pipe",
    "pgm_pipe", "pgmyuv_pipe", "phm_pipe", "photocd_pipe", "png_pipe", "ppm_pipe", "psd_pipe", "qoi_pipe",
    "sgi_pipe", "sunrast_pipe", "tiff_pipe", "webp_pipe", "xbm_pipe", "xwd_pipe",
)  # fmt: skip
ALLOWED_DEMUXERS = frozenset(_VIDEO + _SOUND + _CINEMATICS + _PICTURES)
OPEN_OPTIONS = {
    "format_whitelist": ",".join(sorted(ALLOWED_DEMUXERS)),
    "protocol_whitelist": "file",
    "codec_whitelist": ",".join(sorted(av.codecs_available - NOT_WHEN_OPENING)),
}
"""Options of every container that is opened for reading."""
_TEXTS = (
    (b"v=0", "an SDP description of a network stream"),
    (b"#EXTM3U", "a playlist"),
    (b"<MPD", "a playlist"),
    (b"ffconcat", "a script that joins other files"),
)
_HEAD_BYTES = 1024


def describe_text(head: bytes) -> str | None:
    """A description of a text file that only names other files; None for other files."""
    start = head[:_HEAD_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip()
    for sign, name in _TEXTS:
        if start.startswith(sign) or (start.startswith(b"<?xml") and sign in start):
            return name
    return None
