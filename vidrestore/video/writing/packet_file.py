"""The file of a part: the unchanged packets of an encoder, with a checksum.

A part is not a video file, because no container keeps everything that the joined file needs: NUT loses
durations, Matroska has a resolution of milliseconds, MP4 refuses codecs. So a part holds the encoder's
unchanged packets, and the final container gets the same packets as from one encoder in one run.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, cast

from av.packet import Packet
from av.video.stream import VideoStream

from vidrestore.errors import OutputError, ProcessingError

_MAGIC = b"vidrestore part 1\n"
_HEAD = struct.Struct("<I")
_PACKET = struct.Struct("<?qqqI")
"""Packet header: key frame flag; pts, dts, duration [the part's time base]; size in bytes."""
_END = struct.Struct("<qI")
"""Footer: number of packets; CRC of everything before."""
_NO_TIME = -(2**63)
_CHUNK_BYTES = 1 << 20


class PacketFile:
    """A part's file while it is written."""

    def __init__(self, file: BinaryIO, extradata: bytes) -> None:
        self._file, self._extradata = file, extradata
        self._packets = self._bytes = 0
        self.crc = 0
        """Checksum of everything written so far."""

    def write(self, packets: Iterable[Packet[VideoStream]]) -> None:
        """Appends packets. Raises ProcessingError for packets without timestamps."""
        for packet in packets:
            if not self._packets:
                self._begin(Fraction(packet.time_base))
            pts = packet.pts if packet.pts is not None else packet.dts
            dts = packet.dts if packet.dts is not None else pts
            if pts is None or dts is None:
                raise ProcessingError("the encoder gives no timestamps; restore the video with --segment 0")
            data = bytes(packet)
            self._put(_PACKET.pack(packet.is_keyframe, pts, dts, packet.duration or 0, len(data)))
            self._put(data)
            self._packets += 1

    def end(self) -> int:
        """Writes the footer, and returns the size of the file [bytes]."""
        self._put(_PACKET.pack(False, _NO_TIME, 0, 0, 0))
        self._file.write(_END.pack(self._packets, self.crc))
        return self._bytes + _END.size

    def _begin(self, time_base: Fraction) -> None:
        head = json.dumps({"time_base": str(time_base), "extradata": self._extradata.hex()}).encode()
        self._put(_MAGIC + _HEAD.pack(len(head)) + head)

    def _put(self, data: bytes) -> None:
        self._file.write(data)
        self.crc = zlib.crc32(data, self.crc)
        self._bytes += len(data)


def read_part(path: Path) -> tuple[dict[str, Any], Iterator[Packet[VideoStream]]]:
    """The header of a part, and its packets, which are read one by one.

    Raises:
        OutputError: The part is damaged.
    """
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise damaged_file_error(path)
        (size,) = _HEAD.unpack(_read_exactly(file, _HEAD.size, path))
        return json.loads(_read_exactly(file, size, path)), _packets(path, file.tell())


def _packets(path: Path, begin: int) -> Iterator[Packet[VideoStream]]:
    """The packets, one in memory at a time; the CRC is checked at the end."""
    with path.open("rb") as file:
        crc, count = zlib.crc32(_read_exactly(file, begin, path)), 0
        while True:
            entry = _read_exactly(file, _PACKET.size, path)
            is_key, pts, dts, duration, size = _PACKET.unpack(entry)
            crc = zlib.crc32(entry, crc)
            if pts == _NO_TIME:
                break
            data = _read_exactly(file, size, path)
            crc = zlib.crc32(data, crc)
            packet = cast("Packet[VideoStream]", Packet(data))
            packet.pts, packet.dts, packet.duration, packet.is_keyframe = pts, dts, duration, is_key
            count += 1
            yield packet
        if file.read(_END.size + 1) != _END.pack(count, crc):
            raise damaged_file_error(path)


def _read_exactly(file: BinaryIO, size: int, path: Path) -> bytes:
    """Exactly this number of bytes; no memory is requested if the file has fewer."""
    if size > os.fstat(file.fileno()).st_size - file.tell():
        raise damaged_file_error(path)
    return file.read(size)


def is_whole_segment(path: Path, size: int, crc: int) -> bool:
    """Whether the part at `path` has this size and CRC.

    Args:
        path: The part.
        size: Its size in bytes.
        crc: The checksum of its content.
    """
    try:
        return path.stat().st_size == size and _crcs(path) == (crc, crc)
    except OSError:
        return False


def is_intact(path: Path) -> bool:
    """Whether the part's content matches the checksum in the file."""
    try:
        stated, actual = _crcs(path)
    except (OSError, struct.error):
        return False
    return stated == actual


def _crcs(path: Path) -> tuple[int, int]:
    """The CRC stored in the file, and the CRC of its content.

    Raises:
        OSError, struct.error: The file cannot be read as a part.
    """
    crc, left = 0, path.stat().st_size - _END.size
    with path.open("rb") as file:
        while left > 0 and (data := file.read(min(left, _CHUNK_BYTES))):
            crc = zlib.crc32(data, crc)
            left -= len(data)
        return _END.unpack(file.read())[1], crc


def damaged_file_error(path: Path) -> OutputError:
    """The error for a damaged part."""
    return OutputError(f"{path} is damaged; run the same command again to encode it again")
