"""Copied packets whose times the output's container would refuse, or which the input leaves out."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

import vidrestore
from tests.support.clips import Clip, make_clip, make_two_videos, packets_of
from tests.support.standard_streams import stdin_of
from vidrestore.video import VideoWriter, probe, read_frames
from vidrestore.video.reading import demuxer
from vidrestore.video.writing import stream_copy
from vidrestore.video.writing.packet_order import PacketOrder

REORDERED = Clip(frames=40, b_frames=3, gop=20)
WITH_SOUND = Clip(frames=40, b_frames=0, time_base=Fraction(1, 1000), sounds=("aac",))
ONE_TICK = Fraction(1, 1000)
"""Of Matroska and FLV [s]."""


def _restore(source: Path, output: Path, start: float | None = None) -> list[str]:
    info = probe(source)
    with VideoWriter(output, info, start=start) as writer:
        for frame in read_frames(source, info, start=start):
            writer.write(frame)
    return writer.warnings


def _pictures(path: Path, stream: int = 1) -> list[tuple[Fraction, bytes]]:
    """Presentation times [s] and contents of a video stream's packets, in decoding order."""
    return [(time, content) for time, _, content in packets_of(path, "video")[stream]]


def _with_times(source: Path, path: Path, kind: str, times: Sequence[int]) -> Path:
    """A copy in which the last stream of a kind has packets at `times` [ms], and no later ones."""
    with av.open(str(source)) as original, av.open(str(path), "w") as result:
        copies = {s.index: result.add_stream_from_template(s, opaque=True) for s in original.streams}
        changed = [stream.index for stream in original.streams if stream.type == kind][-1]
        left = list(times)
        for packet in original.demux():
            if not packet.size or (packet.stream_index == changed and not left):
                continue
            if packet.stream_index == changed:
                packet.pts = packet.dts = round(Fraction(left.pop(0), 1000) / Fraction(packet.time_base))
            packet.stream = copies[packet.stream_index]
            result.mux(packet)
    return path


def _damage_time(monkeypatch: pytest.MonkeyPatch, stream: int, number: int, time: int) -> None:
    """Makes a file's copied packet of that number have another time [ticks], which no muxer would write."""
    read = demuxer.packets

    def damaged(container: InputContainer, *streams: Stream) -> Iterator[Packet[Stream] | None]:
        seen = 0
        for packet in read(container, *streams):
            if packet is not None and packet.stream_index == stream:
                if seen == number:
                    packet.pts = packet.dts = time
                seen += 1
            yield packet

    monkeypatch.setattr(stream_copy.demuxer, "packets", damaged)


@pytest.mark.parametrize("output", ["mp4", "mov", "ts", "avi"])
@pytest.mark.parametrize("kind", ["mkv", "flv"])
def test_sound_packets_of_the_same_time_are_kept(tmp_path: Path, kind: str, output: str) -> None:
    plain = make_clip(tmp_path / "plain.mkv", WITH_SOUND)
    times = [0, 23, 23, 70, 93, 93, 93, 163, *range(186, 1400, 23)]
    source = _with_times(plain, tmp_path / f"clip.{kind}", "audio", times)
    (given,) = packets_of(source, "audio")
    assert sum(one[0] == other[0] for one, other in pairwise(given)) == 3
    (warning,) = _restore(source, tmp_path / f"out.{output}")
    assert re.match(r"\d times of the audio stream 1 \(aac.*\) did not increase", warning)
    (result,) = packets_of(tmp_path / f"out.{output}", "audio")
    if output == "ts":  # it repacks AAC, and shifts all times
        assert len(result) == len(given)
        return
    assert [content for *_, content in result if content] == [content for *_, content in given]
    if output != "avi":  # it stores no times
        assert warning.startswith("3 times")
        assert all(abs(one[0] - other[0]) <= ONE_TICK for one, other in zip(result, given, strict=True))


def test_matroska_keeps_equal_times_of_sound(tmp_path: Path) -> None:
    plain = make_clip(tmp_path / "plain.mkv", WITH_SOUND)
    source = _with_times(plain, tmp_path / "clip.mkv", "audio", [0, 23, 23, 70, 93])
    assert _restore(source, tmp_path / "out.mkv") == []
    assert packets_of(tmp_path / "out.mkv", "audio") == packets_of(source, "audio")


def _in_order(source: Path, kind: str, times: Sequence[int]) -> tuple[list[int], list[str]]:
    """Decoding times [ms] in MP4 of packets at `times` [ms], rounded, and the warnings about them."""
    written: list[int] = []
    with av.open(str(source)) as original, av.open(io.BytesIO(), "w", format="mp4") as result:
        (stream,) = [stream for stream in original.streams if stream.type == kind]
        copy, order = result.add_stream_from_template(stream, opaque=True), PacketOrder(result)
        result.start_encoding()
        for packet, time in zip(original.demux(stream), times, strict=False):
            packet.pts = packet.dts = round(Fraction(time, 1000) / Fraction(packet.time_base))
            packet.stream = copy
            order.keep(packet, "stream")
            result.mux(packet)
            assert packet.dts is not None
            written.append(packet.dts)
        base = Fraction(copy.time_base)
    if kind == "audio":
        assert all(one < other for one, other in pairwise(written))
    return [round(time * base * 1000) for time in written], order.warnings()


def test_a_moved_packet_of_sound_does_not_meet_the_next_one(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "clip.mkv", WITH_SOUND)
    times, (warning,) = _in_order(source, "audio", [0, 23, 46, 45, 46, 46, 69])
    assert times == [0, 23, 46, 46, 46, 46, 69]
    assert warning.startswith("3 times of the stream did not increase, as mp4 requires")
    assert warning.endswith("moved by up to 1.03 ms")


def test_equal_times_of_subtitles_are_kept(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "clip.mp4", Clip(others=("mov_text",)))
    assert _in_order(source, "subtitle", [100, 100]) == ([100, 100], [])


@pytest.mark.parametrize("output", ["mkv", "mp4", "mov"])
@pytest.mark.parametrize("kind", ["mkv", "nut", "mp4", "ts"])
def test_a_further_video_keeps_times_and_order_of_its_pictures(
    tmp_path: Path, kind: str, output: str
) -> None:
    source = make_two_videos(tmp_path / f"clip.{kind}", REORDERED)
    given = _pictures(source)
    assert [time for time, _ in given] != sorted(time for time, _ in given)
    assert _restore(source, tmp_path / f"out.{output}") == []
    result = _pictures(tmp_path / f"out.{output}")
    assert [time for time, _ in result] == [time for time, _ in given]
    if kind != "ts":  # it stores H.264 in another form
        assert [content for _, content in result] == [content for _, content in given]


@pytest.mark.parametrize("start", [Fraction(16, 25), Fraction(17, 25), Fraction(4, 5)])
@pytest.mark.parametrize("kind", ["mkv", "nut"])
def test_a_further_video_is_cut_with_the_picture(tmp_path: Path, kind: str, start: Fraction) -> None:
    source = make_two_videos(tmp_path / f"clip.{kind}", REORDERED)
    first = min(time for time, _ in _pictures(source))
    expected = [(time - start, content) for time, content in _pictures(source) if time - first >= start]
    assert _restore(source, tmp_path / "out.mp4", start=float(start)) == []
    assert _pictures(tmp_path / "out.mp4") == expected


def test_a_further_video_of_a_pipe_keeps_its_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make_two_videos(tmp_path / "clip.nut", REORDERED)
    with stdin_of(source.read_bytes(), monkeypatch):
        assert vidrestore.restore("-", tmp_path / "out.mkv").warnings == ()
    assert _pictures(tmp_path / "out.mkv") == _pictures(source)


@pytest.mark.parametrize("output", ["mp4", "ts"])
def test_pictures_at_the_same_time_are_kept(tmp_path: Path, output: str) -> None:
    plain = make_two_videos(tmp_path / "two.mkv", Clip(b_frames=0, time_base=Fraction(1, 1000)))
    times = [0, 0, 80, 120, 160, 160, 160, *range(280, 1200, 40)]
    source = _with_times(plain, tmp_path / "clip.mkv", "video", times)
    assert _restore(source, tmp_path / f"out.{output}") == []
    result = [time for time, _ in _pictures(tmp_path / f"out.{output}")]
    assert [time - result[0] for time in result] == [Fraction(time, 1000) for time in times]


def test_a_picture_that_cannot_be_kept_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = Clip(b_frames=0, time_base=Fraction(1, 1000))
    source = make_two_videos(tmp_path / "clip.mkv", clip)
    given = _pictures(source)
    _damage_time(monkeypatch, stream=1, number=5, time=40)
    warnings = _restore(source, tmp_path / "out.mp4")
    assert warnings[0] == "1 damaged packets of the video stream 1 (h264) were left out"
    assert _pictures(tmp_path / "out.mp4") == given[:5] + given[6:]
