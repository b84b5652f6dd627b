"""Marks of the video in a container's header that no encoder writes: stereo, 360 degrees, cropping, HDR10.

PyAV can set only the display matrix of such side data. But the bitstream filter `null` copies all parameters
of one stream to another, including side data. So FFmpeg reads a Matroska header, which can hold each of these
marks, made from the input's. Its parameters are copied into the encoder's context, and from there FFmpeg
writes them into the output's header in that container's form.
"""

from __future__ import annotations

import io
import struct

import av
from av.bitstream import BitStreamFilterContext
from av.video.stream import VideoStream

from vidrestore.video.reading import demuxer
from vidrestore.video.reading.side_data import Hdr10
from vidrestore.video.writing import ebml

STEREO, SPHERICAL, COLOUR = 0x53B8, 0x7670, 0x55B0
CROPPING = (0x54AA, 0x54BB, 0x54CC, 0x54DD)
_PROJECTION_KIND, _PROJECTION_DATA = 0x7671, 0x7672
_MASTERING, _MAX_CLL, _MAX_FALL = 0x55D0, 0x55BC, 0x55BD
_FIRST_MASTERING = 0x55D1
"""Ids of ten elements: red, green, blue and white x y, maximum and minimum luminance."""
_TIME, _DOC_TYPE, _CODEC, _NUMBER, _UID, _KIND, _WIDTH, _HEIGHT = (
    0xE7,
    0x4282,
    0x86,
    0xD7,
    0x73C5,
    0x83,
    0xB0,
    0xBA,
)
CODECS = {
    "libx264": "V_MPEG4/ISO/AVC",
    "h264_nvenc": "V_MPEG4/ISO/AVC",
    "libx264rgb": "V_MPEG4/ISO/AVC",
    "libx265": "V_MPEGH/ISO/HEVC",
    "hevc_nvenc": "V_MPEGH/ISO/HEVC",
    "libsvtav1": "V_AV1",
    "av1_nvenc": "V_AV1",
    "libvpx-vp9": "V_VP9",
    "libvpx": "V_VP8",
    "prores_ks": "V_PRORES",
    "prores": "V_PRORES",
    "ffv1": "V_FFV1",
    "mpeg4": "V_MPEG4/ISO/ASP",
    "mpeg2video": "V_MPEG2",
    "mjpeg": "V_MJPEG",
}
CONTAINERS = frozenset({"mp4", "mov", "ipod", "matroska", "webm"})
"""Containers whose headers can hold these marks."""


def read_marks(stream: VideoStream) -> dict[int, bytes]:
    """Matroska's elements for the marks in the header of a stream's container, by their ids.

    COLOUR contains only the mastering display and the light level.
    """
    file = io.BytesIO()
    try:
        with av.open(file, "w", format="matroska") as trial:
            trial.add_stream_from_template(stream, opaque=True)
            trial.start_encoding()
            header = file.getvalue()
    except (av.FFmpegError, ValueError):
        return {}  # a codec that Matroska cannot hold
    video = ebml.find(header, ebml.SEGMENT, ebml.TRACKS, ebml.TRACK, ebml.VIDEO)
    marks: dict[int, bytes] = {}
    for id_, content in ebml.children(video or b""):
        if (id_ in CROPPING or id_ == STEREO) and any(content):
            marks[id_] = content
        elif id_ == SPHERICAL and any(ebml.find(content, _PROJECTION_KIND) or b""):
            # Without the pose, with which Matroska rotates pictures: the display matrix has it.
            kept = [(_PROJECTION_KIND, ebml.find(content, _PROJECTION_KIND) or b"")]
            if (data := ebml.find(content, _PROJECTION_DATA)) is not None:
                kept.append((_PROJECTION_DATA, data))
            poses = [(i, c) for i, c in ebml.children(content) if i not in dict(kept)]
            marks[id_] = b"".join(ebml.element(i, c) for i, c in [*kept, *poses])
        elif id_ == COLOUR:
            light = [(i, c) for i, c in ebml.children(content) if i in (_MASTERING, _MAX_CLL, _MAX_FALL)]
            if light:
                marks[id_] = b"".join(ebml.element(i, c) for i, c in light)
    return marks


def hdr_mark(hdr: Hdr10) -> bytes:
    """The content of COLOUR with the mastering display and the light level."""
    parts = []
    if hdr.primaries is not None and hdr.luminance is not None:
        values = [*hdr.primaries, hdr.luminance[1], hdr.luminance[0]]
        floats = [
            ebml.element(_FIRST_MASTERING + n, struct.pack(">d", value)) for n, value in enumerate(values)
        ]
        parts.append(ebml.element(_MASTERING, b"".join(floats)))
    if hdr.light is not None:
        parts += [ebml.element(_MAX_CLL, hdr.light[0]), ebml.element(_MAX_FALL, hdr.light[1])]
    return b"".join(parts)


def mark(stream: VideoStream, encoder: str, marks: dict[int, bytes], width: int, height: int) -> None:
    """Adds `marks` to the stream's parameters. Call it before the encoder is opened.

    Args:
        stream: The output's video stream.
        encoder: Name of its encoder.
        marks: Matroska's elements, from `read_marks`.
        width: Width of the frames.
        height: Height of the frames.
    """
    if not marks or encoder not in CODECS:
        return
    video = b"".join(ebml.element(id_, content) for id_, content in marks.items())
    track = [
        ebml.element(_NUMBER, 1),
        ebml.element(_UID, 1),
        ebml.element(_KIND, 1),
        ebml.element(_CODEC, CODECS[encoder]),
        ebml.element(ebml.VIDEO, ebml.element(_WIDTH, width) + ebml.element(_HEIGHT, height) + video),
    ]
    tracks = ebml.element(ebml.TRACKS, ebml.element(ebml.TRACK, b"".join(track)))
    header = ebml.element(ebml.EBML, ebml.element(_DOC_TYPE, "matroska"))
    cluster = ebml.element(ebml.CLUSTER, ebml.element(_TIME, 0))
    file = header + ebml.element(ebml.SEGMENT, tracks + cluster)
    context = stream.codec_context
    rate, bits = context.framerate, context.bit_rate
    with demuxer.open_own_header(file) as marked:
        BitStreamFilterContext("null", in_stream=marked.streams.video[0], out_stream=stream)
    context.framerate, context.bit_rate = rate, bits or 0
