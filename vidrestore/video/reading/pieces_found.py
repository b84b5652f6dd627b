"""Finds which of the pieces in `formats/pieces.py` the start of an input contains."""

from __future__ import annotations

import re
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from vidrestore.types import UPRIGHT
from vidrestore.video.ffmpeg_log import capture_log
from vidrestore.video.reading import side_data, stream_info
from vidrestore.video.reading.decoder import has_separate_alpha

_FFMPEG_NAMES = {"Service01", "FFmpeg"}
"""FFmpeg's default name of a program."""
_PICTURES = 10
"""Number of pictures that are decoded to find their side data."""
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
"""Names of streams' side data in FFmpeg's description of a file."""
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
    "ICC profile": "ICC in pictures",
    "stereoscopic information": "stereo",
    "3D reference displays": "3D displays",
    "LCEVC NAL data": "LCEVC",
}
"""Names of pictures' side data in FFmpeg's `showinfo`."""
_ENCODERS_NOTES = (b"x264", b"x265", b"Lavc", b"NVENC", b"SVT-AV1", b"\x2c\xa2\xde\x09\xb5\x17\x47\xdb")
"""Parts of user data in which encoders name themselves; the last is x265's identifier."""
ROLES = ~(
    Disposition.default | Disposition.attached_pic | Disposition.still_image | Disposition.timed_thumbnails
)


class PieceFinder:
    """Collects the keys of a file's pieces other than samples and streams."""

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        self._stream = stream
        self._packets = self._pictures = 0
        text = description(container)
        self._found = _of_file(container, text) | _of_header(text, stream.index)

    @property
    def needs_pictures(self) -> bool:
        """Whether more packets and pictures may be added."""
        return self._packets < 4 * _PICTURES and self._pictures < _PICTURES

    def add_packet(self, packet: Packet[Stream]) -> None:
        """Examines a packet, if it is one of the first."""
        if self.needs_pictures:
            self._packets += 1
            self._found |= _of_packet(packet, self._stream)

    def add_picture(self, picture: av.VideoFrame, found: side_data.Entries | None = None) -> None:
        """Examines a picture, if it is one of the first; `found`: its `entries`, if they are known."""
        if self._pictures < _PICTURES:
            self._pictures += 1
            self._found |= _of_picture(picture, side_data.entries(picture) if found is None else found)

    @property
    def found(self) -> frozenset[str]:
        """Keys of the pieces found so far."""
        # FFmpeg repeats the header's profile in each picture.
        return frozenset(self._found - ({"ICC in pictures"} if "ICC" in self._found else set()))


def description(container: InputContainer) -> str:
    """FFmpeg's description of a file: the only way to learn about programs and streams' side data."""
    texts: list[str] = []
    undocumented: Any = container  # `dumps_format` is not in its stub
    capture_log(lambda: texts.append(undocumented.dumps_format()))
    return texts[0]


def codec_tags(text: str) -> dict[int, str]:
    """The containers' four-letter codes of streams, by their index, in a `description`."""
    found = re.findall(r"^\s*Stream #0:(\d+).*?: \w+: .*?\((\w{4}) / 0x[0-9A-F]{8}\)", text, re.MULTILINE)
    return {int(index): tag for index, tag in found}


def program(text: str) -> dict[str, str]:
    """Name and provider of the only program in a `description`; empty if there are none or several."""
    if len(re.findall(r"^  Program \d+", text, re.MULTILINE)) != 1:
        return {}
    named = re.findall(r"^ +(service_name|service_provider) *: (.+)$", text, re.MULTILINE)
    return {key: name for key, name in named if name not in _FFMPEG_NAMES}


def pieces_of_track(stream: Stream) -> set[str]:
    """Keys of the pieces of one of a file's streams."""
    found = set()
    if {"title", stream_info.ISO_TITLE} & stream.metadata.keys():
        found.add("track titles")
    if stream.language not in (None, "und"):
        found.add("languages")
    if stream.disposition & ROLES:
        found.add("roles")
    if "timecode" in {key.lower() for key in stream.metadata}:
        found.add("timecode")
    return found


def _of_file(container: InputContainer, text: str) -> set[str]:
    found = {"chapters"} if container.chapters() else set()
    if len(re.findall(r"^  Program \d+", text, re.MULTILINE)) > 1:
        found.add("programs")
    if re.search(r"^  Stream group #", text, re.MULTILINE):
        found.add("stream groups")
    for stream in container.streams:
        found |= pieces_of_track(stream)
    return found


def _of_header(text: str, index: int) -> set[str]:
    """Names of the side data of the stream with that index."""
    found = set()
    inside = False
    for line in text.splitlines():
        if match := re.match(r"  Stream #0:(\d+)", line):
            inside = int(match[1]) == index
        elif inside and (match := re.match(r"      (\S[^:]*?):", line)):
            found |= {_IN_HEADER[match[1]]} if match[1] in _IN_HEADER else set()
    return found


def _of_packet(packet: Packet[Stream], stream: VideoStream) -> set[str]:
    found = set()
    kinds = {entry.data_type for entry in packet.iter_sidedata()}
    if "matroska_block_additional" in kinds and has_separate_alpha(stream):
        found.add("alpha")
    if "dynamic_hdr10_plus" in kinds:
        found.add("HDR10+")
    if stream_info.codec_name(stream) == "hevc" and _has_layers(
        bytes(packet), stream.codec_context.extradata or b""
    ):
        found.add("layers")
    return found


def _of_picture(picture: av.VideoFrame, entries: side_data.Entries) -> set[str]:
    text = side_data.showinfo(picture)
    names = {name.strip() for name in re.findall(r"side data - ([^:\n]+)", text)}
    found = {_IN_PICTURES[name] for name in names if name in _IN_PICTURES}
    matrix = side_data.display_matrix(entries)
    if side_data.orientation(matrix) != UPRIGHT:
        found.add("rotation")
    if side_data.is_distorting(matrix):
        found.add("distortion")
    if side_data.hdr10(entries) is not None:
        found.add("HDR10")
    if re.search(r"GOP timecode - (?!00:00:0)", text):
        found.add("picture timecodes")  # all MPEG-2 has time codes; one that counts from 0 has no meaning
    for kind, data in entries:
        if kind.startswith("DYNAMIC_HDR"):
            found.add("HDR10+")
        if kind == "PANSCAN" and any(data[12:24]):
            found.add("pan and scan")
        if kind == "SEI_UNREGISTERED" and not _is_of_encoder(data):
            found.add("user data")
    return found


def _is_of_encoder(data: bytes) -> bool:
    return any(note in data for note in _ENCODERS_NOTES)


def _has_layers(packet: bytes, extradata: bytes) -> bool:
    """Whether an HEVC packet contains units of a layer above the base layer."""
    if extradata[:1] == b"\1" and len(extradata) > 21:  # units come after their lengths
        starts, at, width = [], 0, (extradata[21] & 3) + 1
        while at + width < len(packet):
            starts.append(at + width)
            at += width + int.from_bytes(packet[at : at + width], "big")
    else:
        starts = [match.end() for match in re.finditer(re.escape(b"\0\0\1"), packet)]
    return any((packet[s] & 1) << 5 | packet[s + 1] >> 3 for s in starts if s + 1 < len(packet))
