"""Copies all other streams of the input packet by packet while the video is written."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Discard, Stream

from vidrestore.video.reading import demuxer, pieces_found, stream_info
from vidrestore.video.reading.copied_packets import CopiedPackets
from vidrestore.video.reading.input import Input, as_input
from vidrestore.video.writing.container_support import can_hold, left_out_warning
from vidrestore.video.writing.copied_stream import add_copy, is_rewritten_by_muxer, stream_metadata
from vidrestore.video.writing.file_tags import kept_tags, short_tags
from vidrestore.video.writing.packet_order import PacketOrder

if TYPE_CHECKING:
    from av.container.core import Chapter  # only in the stub

_REWRITTEN = {"text", "tmcd"}
"""Codes of tracks with chapter titles and time codes in MP4 and MOV."""


class StreamCopy:
    """Copies the other streams of the input into the output.

    Call `add_streams` before the output's header is written, `advance` while the video is written, and
    `finish` at the end. Few packets are in memory at a time.
    """

    _output: OutputContainer
    _order: PacketOrder

    def __init__(
        self, video_input: Path | Input, *, start: float | None = None, end: float | None = None
    ) -> None:
        self._left_out: list[str] = []
        self._video_input = as_input(video_input)
        self._path = path = self._video_input.path
        self._files = ExitStack()
        self._container = self._files.enter_context(demuxer.open_container(self._video_input))
        self._repair = CopiedPackets(self._container, self._video_input)
        self.all_streams = self._container.streams
        """All streams of the input, including the video."""
        self._targets: dict[int, Stream] = {}
        self._names: dict[int, str] = {}
        """The input's names of the output's streams."""
        self._packets: Iterator[Packet[Stream]] = iter(())
        self._ready: deque[Packet[Stream]] = deque()
        """Repaired packets of a pipe."""
        self._next: Packet[Stream] | None = None
        self._damaged: Counter[str] = Counter()
        self.end_time: Fraction | None = None
        """End of the last packet so far [s in the output]."""
        self.video = stream_info.video_stream(self._container, path)
        """The input's video stream, whose metadata is copied."""
        self.time_range = stream_info.time_range_of(self.video, self._video_input, start, end)

    def add_streams(
        self, output: OutputContainer, add_video: Callable[[], None], *, with_others: bool = True
    ) -> None:
        """Adds the streams to `output`, in the input's order.

        Args:
            output: The container to write.
            add_video: Adds the encoded video; called at the video's position.
            with_others: Whether the other streams are copied; otherwise only the video is added.
        """
        self._output, self._order = output, PacketOrder(output)
        if not with_others:
            add_video()
            return
        for stream in self._container.streams:
            if stream.index == self.video.index:
                add_video()
            else:
                self._add(stream)
        self._output.metadata.update(short_tags(self._output.format.name, self.tags()))
        chapters = [part for chapter in self._container.chapters() if (part := self._cut_chapter(chapter))]
        if chapters:
            self._output.set_chapters(chapters)
        self._packets = self._read_packets()
        self._next = next(self._packets, None)

    def tags(self) -> dict[str, str]:
        """The input's tags for the output, including those of a broadcast's only program."""
        tags = kept_tags(self._container.metadata)
        return {**pieces_found.program(pieces_found.description(self._container)), **tags}

    def advance(self, until: Fraction) -> None:
        """Writes the packets before `until` [s in the output]."""
        while (packet := self._peek()) is not None and _seconds(packet) <= until:
            self._write(packet)

    def finish(self) -> None:
        """Writes the remaining packets."""
        self._write_all()
        self._ready.extend(self._repair.rest())
        self._write_all()

    def left_out_warning(self) -> list[str]:
        """A warning that names all streams that the output cannot hold, if there are any."""
        if not self._left_out:
            return []
        return [left_out_warning(self._left_out, self._path, self._output.format.name)]

    def damage_warnings(self) -> list[str]:
        """A warning for each stream with damaged packets, which were left out, or with wrong times."""
        left_out = [
            f"{count} damaged packets of the {name} were left out" for name, count in self._damaged.items()
        ]
        names = {stream.index: stream_info.stream_name(stream) for stream in self._container.streams}
        wrong = [
            f"{count} timestamps of the {names[index]} were impossible and were replaced"
            for index, count in self._repair.wrong_times.items()
        ]
        return [*left_out, *wrong, *self._order.warnings()]

    def close(self) -> None:
        self._files.close()

    def _peek(self) -> Packet[Stream] | None:
        pipe = self._video_input.pipe
        while self._next is None and pipe is not None and (self._ready or pipe.other_packets):
            if self._ready:
                self._next = self._shift_packet(self._ready.popleft())
            else:
                self._ready.extend(self._repair.repair_one(pipe.other_packets.popleft()))
        return self._next

    def _write_all(self) -> None:
        while (packet := self._peek()) is not None:
            self._write(packet)

    def _write(self, packet: Packet[Stream]) -> None:
        end = ((packet.pts or 0) + (packet.duration or 0)) * Fraction(packet.time_base)
        self.end_time = end if self.end_time is None else max(self.end_time, end)
        name = self._names[packet.stream.index]
        if not demuxer.is_cover(packet.stream):
            self._order.keep(packet, name)
        try:
            self._output.mux(packet)
        except (av.error.InvalidDataError, av.error.ArgumentError):
            # Containers that repack streams, such as MP4 with AAC of a broadcast, fail on damaged packets.
            # All refuse a picture that is to be shown before it is decoded.
            self._damaged[name] += 1
        self._next = next(self._packets, None)

    def _add(self, stream: Stream) -> None:
        if self._is_rewritten(stream):
            return
        if not can_hold(self._output.format.name, stream):
            self._left_out.append(stream_info.stream_name(stream))
            return
        target = add_copy(self._output, stream, stream_metadata(stream))
        if stream.type != "attachment":
            self._targets[stream.index] = target
            self._names[target.index] = stream_info.stream_name(stream)

    def _is_rewritten(self, stream: Stream) -> bool:
        """Whether it is a stream of chapter titles or time codes, which the new container writes itself."""
        if stream.type != "data":
            return False  # a description of the whole file takes time
        tags = pieces_found.codec_tags(pieces_found.description(self._container))
        return tags.get(stream.index) in _REWRITTEN

    def _read_packets(self) -> Iterator[Packet[Stream]]:
        if self._video_input.pipe is not None:
            # A pipe cannot be read twice: the video reader queues these packets.
            self._video_input.pipe.other_streams = frozenset(self._targets)
            return
        if not self._targets:
            return
        container = self._container
        self._discard_others(container)
        first = self.time_range.first(Fraction(1, av.time_base))
        if first is not None and self._video_input.can_seek and not demuxer.seek(container, first):
            container = self._files.enter_context(demuxer.open_container(self._video_input))
            self._discard_others(container)
        copied = [container.streams[index] for index in self._targets]
        for packet in self._repair.repair(demuxer.packets(container, *copied)):
            if shifted := self._shift_packet(packet):
                yield shifted

    def _discard_others(self, container: InputContainer) -> None:
        for stream in container.streams:
            if stream.index not in self._targets and stream.type != "attachment":
                stream.discard = Discard.all

    def _shift_packet(self, packet: Packet[Stream]) -> Packet[Stream] | None:
        time_base = Fraction(packet.time_base)
        pts = packet.pts if packet.pts is not None else packet.dts
        # A pipe's packets may outlive their container and stream.
        stream = self._container.streams[packet.stream_index]
        if is_rewritten_by_muxer(self._output, stream, packet):
            return None
        if demuxer.is_cover(stream):
            packet.pts = packet.dts = 0  # a cover is kept even if a part is cut
        elif pts is None:
            return None
        else:
            if not self.time_range.contains(pts, time_base):
                return None
            shift = self.time_range.shift(time_base)
            packet.pts = pts - shift
            packet.dts = (pts if packet.dts is None else min(pts, packet.dts)) - shift
        packet.stream = self._targets[packet.stream_index]
        return packet

    def _cut_chapter(self, chapter: Chapter) -> Chapter | None:
        time_base = Fraction(chapter["time_base"] or Fraction(1, 1000))
        first, stop = self.time_range.first(time_base), self.time_range.stop(time_base)
        shift = self.time_range.shift(time_base)
        start = chapter["start"] if first is None else max(chapter["start"], first)
        end = chapter["end"] if stop is None else min(chapter["end"], stop)
        if end <= start and chapter["end"] > chapter["start"]:
            return None
        return {**chapter, "start": start - shift, "end": end - shift}


def _seconds(packet: Packet[Stream]) -> Fraction:
    return Fraction((packet.dts or 0) * Fraction(packet.time_base))
