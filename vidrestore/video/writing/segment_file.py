"""Parts of a video stream: encoded separately, stored as files of packets, joined without encoding again.

A part is not a video file, because no container keeps everything that the joined file needs: NUT loses
durations, Matroska has a resolution of milliseconds, MP4 refuses codecs. So a part holds the encoder's
unchanged packets, and the final container gets the same packets as from one encoder in one run.
"""

from __future__ import annotations

import io
import json
import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, cast

import av
from av.packet import Packet
from av.video.stream import VideoStream

from vidrestore.errors import OutputError, ProcessingError
from vidrestore.runtime.file_kinds import kind_of
from vidrestore.types import Frame, VideoInfo
from vidrestore.video.formats.containers import IMAGES, STDOUT, choose_container
from vidrestore.video.reading import demuxer
from vidrestore.video.reading.input import Input
from vidrestore.video.reading.look import look_at
from vidrestore.video.reading.side_data import SideData
from vidrestore.video.writing.atomic_output import place_output, write_error
from vidrestore.video.writing.video_encoder import TIMELESS, VideoEncoder
from vidrestore.video.writing.writer import VideoWriter

JOINABLE = frozenset([
    "libx264", "libx264rgb", "libx265", "libsvtav1", "libvpx-vp9", "h264_nvenc", "hevc_nvenc", "av1_nvenc",
    "prores", "prores_ks", "prores_aw", "dnxhd", "ffv1", "mjpeg", "mpeg2video", "mpeg4",
    "huffyuv", "ffvhuff", "utvideo", "magicyuv", "rawvideo", "v210",
])  # fmt: skip
"""Encoders whose streams start with a key frame, and whose file header does not depend on the pictures."""
_MAGIC = b"vidrestore part 1\n"
_HEAD = struct.Struct("<I")
_PACKET = struct.Struct("<?qqqI")
"""Packet header: key frame flag; pts, dts, duration [the part's time base]; size in bytes."""
_END = struct.Struct("<qI")
"""Footer: number of packets; CRC of everything before."""
_NO_TIME = -(2**63)
_CHUNK_BYTES = 1 << 20
_CREATE = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)


def why_not_segmented(video_input: Input, side_data: SideData, output: Path, muxer: str) -> str | None:
    """The reason why a video cannot be restored in segments, as the end of a sentence; None: it can."""
    if video_input.pipe is not None:
        return "a pipe can be read only once"
    if video_input.is_picture:
        return "the input is pictures"
    if str(output) == STDOUT:
        return "a pipe can be written only once"
    if muxer == IMAGES:
        return "the output is pictures"
    if muxer in TIMELESS:
        return f"{muxer} streams have no timestamps"
    return "the transparency is stored in separate packets" if side_data.has_separate_alpha else None


def why_not_joinable(codec: str) -> str | None:
    """As `why_not_segmented`, for the encoder only."""
    return None if codec in JOINABLE else f"it is not known whether streams of {codec} can be joined"


class SegmentWriter:
    """Encodes frames into a part of `output` at `path`, which gets its name when it is complete.

    Used in a `with` block, with the arguments of `VideoWriter`. Raises OutputError, UsageError and
    ProcessingError.
    """

    def __init__(
        self,
        path: Path,
        output: Path,
        info: VideoInfo,
        *,
        source: Input,
        side_data: SideData | None = None,
        container: str | None,
        start: float | None,
        quality: int | None = None,
        **encoding: Any,
    ) -> None:
        """`quality` is for pictures only: `make_writer` refuses it for videos."""
        self._path, self._output = path, output
        self._temporary = path.with_name(path.name + ".new")
        self._input, self._start = source, start
        self._muxer = choose_container(output, container)
        held = side_data or look_at(source).side_data
        self._encoder = VideoEncoder(output, info, held, muxer=self._muxer, **encoding)
        self.bytes = 0
        """Size of the complete file."""
        self.crc = 0
        """Checksum of the complete file's content."""

    @property
    def frames(self) -> int:
        """Number of frames written so far."""
        return self._encoder.frames

    def __enter__(self) -> Self:
        with ExitStack() as undo, self._user_errors():
            undo.callback(self._remove)
            # A container of the output's kind configures the encoder, as some need global headers; that
            # container is never written.
            container = undo.enter_context(av.open(io.BytesIO(), "w", format=self._muxer))
            opened = undo.enter_context(demuxer.open_container(self._input))
            video = demuxer.video_stream(opened, self._input)
            self._encoder.add_to(container, video)
            self._time_range = demuxer.time_range_of(video, self._input, self._start, None)
            self._file = undo.enter_context(_open_new(self._temporary))
            self._out = _PacketFile(self._file, self._encoder.stream.codec_context.extradata or b"")
            self._undo = undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._undo, self._user_errors():
            if error is not None:
                return
            self._out.write(self._encoder.flush())
            self.bytes = self._out.end()
            self.crc = self._out.crc
            self._file.close()
            place_output(self._temporary, self._path, overwrite=True)

    def write(self, frame: Frame) -> None:
        with self._user_errors():
            self._out.write(self._encoder.encode(frame, self._time_range.shift(frame.time_base)))

    def _remove(self) -> None:
        _remove_own(self._temporary)

    @contextmanager
    def _user_errors(self) -> Iterator[None]:
        try:
            yield
        except (av.FFmpegError, OSError) as error:
            if (user_error := write_error(self._path, error)) is not None:
                raise user_error from error
            raise ProcessingError(f"encoding a part of {self._output} failed: {error}") from error


def join_segments(writer: VideoWriter, parts: Iterable[Path]) -> None:
    """Writes the packets of all parts, in order.

    Args:
        writer: The writer of the joined output.
        paths: The parts.

    Raises:
        OutputError: A part is damaged.
        ProcessingError: A part was encoded by another encoder.
    """
    before: list[int] = []
    for path in parts:
        try:
            before = _join(writer, path, before)
        except Exception as error:
            # Any error that damaged packets cause.
            if not _is_intact(path):
                raise _damaged_file_error(path) from error
            raise


def is_whole_segment(path: Path, size: int, crc: int) -> bool:
    """Whether the part at `path` has this size and CRC."""
    try:
        return path.stat().st_size == size and _crcs(path) == (crc, crc)
    except OSError:
        return False


def _join(writer: VideoWriter, path: Path, before: list[int]) -> list[int]:
    head, packets = _read(path)
    if _without_sei(bytes.fromhex(head["extradata"])) != _without_sei(writer.extradata):
        raise ProcessingError(
            f"a part of the video in {path.parent} was encoded by another encoder than the one here; "
            "add --restart to start from the beginning"
        )
    joined, times = _rebase_dts(packets, before)
    for packet in joined:
        packet.time_base = Fraction(head["time_base"])
        writer.write_packets([packet])
    return times


def _is_intact(path: Path) -> bool:
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


class _PacketFile:
    """A part's file while it is written."""

    def __init__(self, file: BinaryIO, extradata: bytes) -> None:
        self._file, self._extradata = file, extradata
        self._packets = self._bytes = 0
        self.crc = 0
        """Checksum of everything written so far."""

    def write(self, packets: Iterable[Packet[VideoStream]]) -> None:
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


def _read(path: Path) -> tuple[dict[str, Any], Iterator[Packet[VideoStream]]]:
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise _damaged_file_error(path)
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
            raise _damaged_file_error(path)


def _read_exactly(file: BinaryIO, size: int, path: Path) -> bytes:
    """Exactly this number of bytes; no memory is requested if the file has fewer."""
    if size > os.fstat(file.fileno()).st_size - file.tell():
        raise _damaged_file_error(path)
    return file.read(size)


def _rebase_dts(
    packets: Iterator[Packet[VideoStream]], before: list[int]
) -> tuple[Iterator[Packet[VideoStream]], list[int]]:
    """A part's packets with the decoding times of a single run.

    An encoder that reorders frames starts decoding times some frames before its first frame; in a single run
    these are the times of the previous frames.

    Args:
        packets: The part's packets.
        before: Times of the previous part's last frames, the latest last.

    Returns:
        The packets, and a list that receives the times of this part's frames while the packets are consumed.
    """
    times: list[int] = []

    def joined() -> Iterator[Packet[VideoStream]]:
        early: list[Packet[VideoStream]] = []
        first: int | None = None
        for packet in packets:
            assert packet.pts is not None
            assert packet.dts is not None
            first = packet.pts if first is None else first
            times.append(packet.pts)
            if len(times) > _LONGEST_DELAY:
                times.remove(min(times))
            if packet.dts < first and before:
                early.append(packet)
                continue
            yield from _shift_early(early, before)
            early = []
            yield packet
        yield from _shift_early(early, before)

    return joined(), times


_LONGEST_DELAY = 64
"""Maximum number of frames by which an encoder reorders."""


def _shift_early(early: list[Packet[VideoStream]], before: list[int]) -> Iterator[Packet[VideoStream]]:
    times = sorted(before)[-len(early) :] if early else []
    for packet, dts in zip(early, times, strict=False):
        packet.dts = dts
    yield from early


def _without_sei(extradata: bytes) -> bytes:
    """The header without HEVC's SEI, where x265 writes its options, including the number of threads."""
    units = extradata.split(b"\0\0\0\1")
    is_hevc = len(units) > 1 and units[0] == b"" and units[1][0] >> 1 & 0x3F == 32  # a VPS comes first
    return b"".join(u for u in units if not (u and u[0] >> 1 & 0x3F == 39)) if is_hevc else extradata


def _damaged_file_error(path: Path) -> OutputError:
    return OutputError(f"{path} is damaged; run the same command again to encode it again")


def _open_new(path: Path) -> BinaryIO:
    """Opens a new file for writing; it replaces an earlier file or link, but never the target of a link."""
    _remove_own(path)
    return os.fdopen(os.open(path, _CREATE, 0o666), "wb")


def _remove_own(path: Path) -> None:
    with suppress(OSError):
        if kind_of(path) == "file":
            path.unlink()
