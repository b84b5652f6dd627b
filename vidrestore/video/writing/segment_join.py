"""Joins the parts of a video stream into the output, without encoding again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

from av.packet import Packet
from av.video.stream import VideoStream

from vidrestore.errors import ProcessingError
from vidrestore.video.writing.packet_file import damaged_file_error, is_intact, read_part
from vidrestore.video.writing.writer import VideoWriter

_LONGEST_DELAY = 64
"""Maximum number of frames by which an encoder reorders."""


def join_segments(writer: VideoWriter, parts: Iterable[Path]) -> None:
    """Writes the packets of all parts, in order.

    Args:
        writer: The writer of the joined output.
        parts: The parts.

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
            if not is_intact(path):
                raise damaged_file_error(path) from error
            raise


def _join(writer: VideoWriter, path: Path, before: list[int]) -> list[int]:
    head, packets = read_part(path)
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
