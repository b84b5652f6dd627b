"""Which of the pieces in `formats/pieces.py` an input holds, as far as its beginning shows."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from vidrestore.types import UPRIGHT
from vidrestore.video.ffmpeg_log import capture_log
from vidrestore.video.formats.filter_graph import FilterGraph
from vidrestore.video.reading import demuxer, side_data
from vidrestore.video.reading.input import Input, as_input

_FFMPEG_NAMES = {"Service01", "FFmpeg"}
"""What FFmpeg calls a program that nobody has named."""
_PICTURES = 10
"""Decoded to see what they carry."""
_IN_HEADER = {
    "Stereo 3D": "stereo",
    "Spherical Mapping": "spherical",
    "Frame Cropping": "cropping",
    "Mastering display metadata": "HDR10",
    "Content light level metadata": "HDR10",
    "DOVI configuration record": "Dolby Vision",
    "ICC Profile": "ICC",
    "Ambient viewing environment": "viewing light",
    "LCEVC": "LCEVC",
    "3D Reference Displays": "3D displays",
}
"""As FFmpeg's description of a file calls the side data of streams."""
_IN_PICTURES = {
    "A/53 closed captions": "captions",
    "ATSC A53 Part 4 Closed Captions": "captions",
    "AFD": "picture format",
    "Active format description": "picture format",
    "HDR Dynamic Metadata SMPTE2094-40 (HDR10+)": "HDR10+",
    "HDR Dynamic Metadata CUVA 005.1 2021 (Vivid)": "HDR10+",
    "Dolby Vision RPU Data": "Dolby Vision",
    "Dolby Vision Metadata": "Dolby Vision",
    "SMPTE 12-1 timecode": "picture timecodes",
    "Film grain parameters": "film grain",
    "ambient viewing environment": "viewing light",
    "Ambient viewing environment": "viewing light",
    "ICC profile": "ICC",
    "stereoscopic information": "stereo",
    "3D reference displays": "3D displays",
    "LCEVC NAL data": "LCEVC",
}
"""As FFmpeg's `showinfo` calls the side data of pictures."""
_ENCODERS_NOTES = (b"x264", b"x265", b"Lavc", b"NVENC", b"SVT-AV1", b"\x2c\xa2\xde\x09\xb5\x17\x47\xdb")
"""In user data by which encoders say who they are; the last is x265's own mark."""
ROLES = ~(
    Disposition.default | Disposition.attached_pic | Disposition.still_image | Disposition.timed_thumbnails
)


def find_pieces(video_input: Path | Input) -> frozenset[str]:
    """Keys of the pieces beside samples and streams. Raises InputError where the file cannot be opened."""
    input = as_input(video_input)
    with demuxer.open_container(input) as container:
        stream = demuxer.video_stream(container, input)
        return frozenset(
            _of_file(container)
            | _of_header(description(container), stream.index)
            | _of_packets(container, stream)
        )


def description(container: InputContainer) -> str:
    """FFmpeg's own description of a file: the only place that tells of programs and streams' side data."""
    texts: list[str] = []
    undocumented: Any = container  # `dumps_format` is not in its stub
    capture_log(lambda: texts.append(undocumented.dumps_format()))
    return texts[0]


def codec_tags(text: str) -> dict[int, str]:
    """The containers' four-letter codes of streams, by their index, in a `description`."""
    found = re.findall(r"^\s*Stream #0:(\d+).*?: \w+: .*?\((\w{4}) / 0x[0-9A-F]{8}\)", text, re.MULTILINE)
    return {int(index): tag for index, tag in found}


def program(text: str) -> dict[str, str]:
    """What the one program of a `description` is called; nothing where there are none or several."""
    if len(re.findall(r"^  Program \d+", text, re.MULTILINE)) != 1:
        return {}
    named = re.findall(r"^ +(service_name|service_provider) *: (.+)$", text, re.MULTILINE)
    return {key: name for key, name in named if name not in _FFMPEG_NAMES}


def _of_file(container: InputContainer) -> set[str]:
    found = {"chapters"} if container.chapters() else set()
    text = description(container)
    if len(re.findall(r"^  Program \d+", text, re.MULTILINE)) > 1:
        found.add("programs")
    if re.search(r"^  Stream group #", text, re.MULTILINE):
        found.add("stream groups")
    for stream in container.streams:
        if {"title", "name"} & stream.metadata.keys():  # MP4 and MOV call it a name
            found.add("track titles")
        if stream.language not in (None, "und"):
            found.add("languages")
        if stream.disposition & ROLES:
            found.add("roles")
        if "timecode" in {key.lower() for key in stream.metadata}:
            found.add("timecode")
    return found


def _of_header(text: str, index: int) -> set[str]:
    """Side data of the stream with that index."""
    found = set()
    inside = False
    for line in text.splitlines():
        if match := re.match(r"  Stream #0:(\d+)", line):
            inside = int(match[1]) == index
        elif inside and (match := re.match(r"      (\S[^:]*?):", line)):
            found |= {_IN_HEADER[match[1]]} if match[1] in _IN_HEADER else set()
    return found


def _of_packets(container: InputContainer, stream: VideoStream) -> set[str]:
    """Of the first packets and of what they decode to."""
    found: set[str] = set()
    pictures: list[av.VideoFrame] = []
    for packet in islice(demuxer.packets(container, stream), 4 * _PICTURES):
        if packet is None:
            continue
        kinds = {entry.data_type for entry in packet.iter_sidedata()}
        if "matroska_block_additional" in kinds and demuxer.has_alpha_beside(stream):
            found.add("alpha")
        if "dynamic_hdr10_plus" in kinds:
            found.add("HDR10+")
        if stream.name == "hevc" and _has_layers(bytes(packet), stream.codec_context.extradata or b""):
            found.add("layers")
        try:
            pictures += stream.decode(packet)
        except av.FFmpegError:
            continue
        if len(pictures) >= _PICTURES:
            break
    for picture in pictures:
        found |= _of_picture(picture)
    return found


def _of_picture(picture: av.VideoFrame) -> set[str]:
    graph = FilterGraph(picture.format.name, picture.width, picture.height, Fraction(1, 25), ("showinfo", ""))
    text = capture_log(lambda: list(graph.filter(picture)))
    names = {name.strip() for name in re.findall(r"side data - ([^:\n]+)", text)}
    found = {_IN_PICTURES[name] for name in names if name in _IN_PICTURES}
    found |= {"HDR10+" for kind, _ in side_data.entries(picture) if kind.startswith("DYNAMIC_HDR")}
    if side_data.orientation(side_data.display_matrix(picture)) != UPRIGHT:
        found.add("rotation")
    if side_data.hdr10(picture) is not None:
        found.add("HDR10")
    if re.search(r"GOP timecode - (?!00:00:0)", text):
        found.add("picture timecodes")  # all MPEG-2 has some; one that counts from 0 says nothing
    if any(kind == "PANSCAN" and any(data[12:24]) for kind, data in side_data.entries(picture)):
        found.add("pan and scan")
    if any(
        not _is_of_encoder(data) for kind, data in side_data.entries(picture) if kind == "SEI_UNREGISTERED"
    ):
        found.add("user data")
    return found


def _is_of_encoder(data: bytes) -> bool:
    return any(note in data for note in _ENCODERS_NOTES)


def _has_layers(packet: bytes, extradata: bytes) -> bool:
    """Whether an HEVC packet holds units of another layer than the base one."""
    if extradata[:1] == b"\1" and len(extradata) > 21:  # units come after their lengths
        starts, at, width = [], 0, (extradata[21] & 3) + 1
        while at + width < len(packet):
            starts.append(at + width)
            at += width + int.from_bytes(packet[at : at + width], "big")
    else:
        starts = [match.end() for match in re.finditer(re.escape(b"\0\0\1"), packet)]
    return any((packet[s] & 1) << 5 | packet[s + 1] >> 3 for s in starts if s + 1 < len(packet))
