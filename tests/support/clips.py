"""Synthetic clips with known contents: small, and written quickly by PyAV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from vidrestore.runtime.scheduling import keep_scheduling

_BIT_WIDTH = 12
_BITS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """The properties of a clip; the defaults are those of the simplest one."""

    frames: int = 30
    size: tuple[int, int] = (96, 64)
    """width, height"""
    codec: str = "libx264"
    pixel_format: str = "yuv420p"
    rate: Fraction = Fraction(25)
    time_base: Fraction = Fraction(1, 12800)
    times: Sequence[int] | None = None
    """pts of each frame [time_base]; None: at the constant rate from `start`."""
    start: Fraction = Fraction(0)
    """Seconds at which picture and sound begin."""
    b_frames: int = 2
    gop: int = 10
    sounds: Sequence[str] = ()
    """Codec of each sound track; the languages are eng, deu, fra in turn."""
    sound_rate: int = 44100
    """Hertz; Opus is always at 48000."""
    subtitles: bool = False
    others: Sequence[str] = ()
    """Codecs of further streams of two raw packets each: mov_text, hdmv_pgs_subtitle, dvd_subtitle, klv."""
    rotation: int | None = None
    """Degrees counter-clockwise."""
    mirrored: bool = False
    pixel_aspect: Fraction = Fraction(1)
    colour: tuple[int, int, int, int] | None = None
    """matrix, primaries, transfer, range in FFmpeg's codes"""
    field_order: int = 0
    metadata: dict[str, str] | None = None
    stream_metadata: dict[str, str] | None = None
    """The video stream's."""
    chapters: Sequence[tuple[int, int, str]] = ()
    """start and end [milliseconds], title"""
    attachment: bytes | None = None
    container_options: dict[str, str] | None = None
    options: dict[str, str] | None = None


@keep_scheduling()  # SVT-AV1 would make the tests real-time threads
def make_clip(path: Path, clip: Clip | None = None) -> Path:
    """Writes the clip; frame i shows i in binary as eight black or white bars over a moving ramp."""
    clip = clip or Clip()
    with av.open(str(path), "w", container_options=clip.container_options or {}) as container:
        container.metadata.update(clip.metadata or {})
        if clip.chapters:
            container.set_chapters([_chapter(number, *entry) for number, entry in enumerate(clip.chapters)])
        video = _add_video(container, clip)
        video.metadata.update(clip.stream_metadata or {})
        rate = clip.sound_rate
        sounds = [_add_sound(container, codec, number, rate) for number, codec in enumerate(clip.sounds)]
        subtitles = container.add_mux_stream("subrip") if clip.subtitles else None
        others = [_add_other(container, codec) for codec in clip.others]
        if clip.attachment is not None:
            container.add_attachment("font.ttf", "application/x-truetype-font", clip.attachment)
        packets: list[Any] = []
        for pts, picture in zip(frame_times(clip), pictures(clip), strict=True):
            picture.pts, picture.time_base = pts, clip.time_base
            picture.duration = round(1 / clip.rate / clip.time_base)
            packets += video.encode(picture)
        packets += video.encode(None)
        last = (frame_times(clip)[-1] + 1) * clip.time_base + 1 / clip.rate
        for number, stream in enumerate(sounds):
            packets += _sound_packets(stream, clip.start, last, 220 * (number + 1))
        if subtitles is not None:
            packets += [_subtitle(subtitles, clip.start, text) for text in ("one", "two")]
        for codec, stream in zip(clip.others, others, strict=True):
            packets += [_raw_packet(stream, codec, clip.start, time) for time in (100, 300)]
        packets.sort(key=lambda packet: packet.dts * packet.time_base)
        container.mux(packets)
    return path


def make_two_videos(path: Path, clip: Clip | None = None) -> Path:
    """Writes a file whose two video streams are the same: the clip's."""
    plain = make_clip(path.with_name("plain.mp4"), clip)
    with av.open(str(plain)) as first, av.open(str(plain)) as second, av.open(str(path), "w") as result:
        (video,) = first.streams.video
        copies = [result.add_stream_from_template(video, opaque=True) for _ in range(2)]
        for packets in zip(first.demux(video), second.demux(video=0), strict=True):
            for packet, copy in zip(packets, copies, strict=True):
                if packet.size:
                    packet.stream = copy
                    result.mux(packet)
    return path


def make_sound(path: Path) -> Path:
    """A file with a second of sound and no picture."""
    with av.open(str(path), "w") as container:
        container.mux(_sound_packets(_add_sound(container, "aac", 0), Fraction(0), Fraction(1), 440))
    return path


def frame_times(clip: Clip) -> list[int]:
    """pts of every frame of the clip [time_base]."""
    if clip.times is not None:
        return list(clip.times)
    first = round(clip.start / clip.time_base)
    return [first + round(number / clip.rate / clip.time_base) for number in range(clip.frames)]


def pictures(clip: Clip) -> list[av.VideoFrame]:
    """The clip's frames before encoding."""
    width, height = clip.size
    result = []
    for number in range(len(frame_times(clip))):
        luma = _numbered(number, width, height)
        rgb = np.stack([luma, np.roll(luma, 5, axis=1), np.roll(luma, 3, axis=0)], axis=-1)
        source = luma if clip.pixel_format == "gray" else rgb
        picture = av.VideoFrame.from_ndarray(source, "gray" if source is luma else "rgb24")
        result.append(picture.reformat(format=clip.pixel_format))
    return result


def read_number(luma: NDArray[Any]) -> int:
    """The number a frame shows, from its luma, green or grey plane of any depth."""
    brightest = np.iinfo(luma.dtype).max if luma.dtype == np.uint8 else int(luma.max())
    rows = luma[luma.shape[0] // 4 : luma.shape[0] // 2]
    bars = [rows[:, bit * _BIT_WIDTH + 3 : (bit + 1) * _BIT_WIDTH - 3].mean() for bit in range(_BITS)]
    return sum(int(bar > brightest / 2) << bit for bit, bar in enumerate(bars))


def truncate(path: Path, share: float) -> Path:
    """Cuts the end of the file off, so that `share` of it is left."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def packets_of(path: Path, kind: str) -> list[list[tuple[Fraction, Fraction, bytes]]]:
    """For each stream of the kind, time and duration [seconds] and content of its packets."""
    with av.open(str(path)) as container:
        streams = [stream for stream in container.streams if stream.type == kind]
        found: dict[int, list[tuple[Fraction, Fraction, bytes]]] = {s.index: [] for s in streams}
        for packet in container.demux(*streams) if streams else ():
            if packet.size and packet.pts is not None:
                base = Fraction(packet.time_base)
                entry = (packet.pts * base, (packet.duration or 0) * base, bytes(packet))
                found[packet.stream.index].append(entry)
        return list(found.values())


def _numbered(number: int, width: int, height: int) -> NDArray[np.uint8]:
    ramp = (np.arange(width)[None, :] + np.arange(height)[:, None] + 3 * number) % 128 + 64
    picture = ramp.astype(np.uint8)
    for bit in range(_BITS):
        level = 255 if number >> bit & 1 else 0
        picture[height // 5 : height * 3 // 5, bit * _BIT_WIDTH : (bit + 1) * _BIT_WIDTH] = level
    return picture


def _add_video(container: Any, clip: Clip) -> Any:
    options = dict(clip.options or {})
    if clip.codec == "libx264":
        options = {"crf": "10", "bf": str(clip.b_frames), "preset": "veryfast"} | options
    video = container.add_stream(clip.codec, rate=clip.rate, options=options)
    video.width, video.height = clip.size
    video.pix_fmt = clip.pixel_format
    video.codec_context.time_base = video.time_base = clip.time_base
    video.codec_context.gop_size = clip.gop
    video.codec_context.sample_aspect_ratio = clip.pixel_aspect
    video.codec_context.field_order = clip.field_order
    if clip.colour is not None:
        context = video.codec_context
        context.colorspace, context.color_primaries, context.color_trc, context.color_range = clip.colour
    if clip.rotation is not None or clip.mirrored:
        video.set_display_rotation(clip.rotation or 0, hflip=clip.mirrored)
    return video


def _add_sound(container: Any, codec: str, number: int, rate: int = 44100) -> Any:
    stream = container.add_stream(codec, rate=rate if codec != "libopus" else 48000)
    stream.metadata["language"] = ("eng", "deu", "fra")[number % 3]
    return stream


def _sound_packets(stream: Any, start: Fraction, end: Fraction, pitch: int) -> list[Any]:
    rate = stream.rate
    samples = np.sin(np.arange(round((end - start) * rate)) * 2 * np.pi * pitch / rate) * 8000
    frame = av.AudioFrame.from_ndarray(np.tile(samples.astype(np.int16), (2, 1)), "s16p", "stereo")
    frame.rate, frame.time_base = rate, Fraction(1, rate)
    resampler = av.AudioResampler(format=stream.format.name, layout="stereo", rate=rate)
    packets = []
    size = stream.codec_context.frame_size or 1024
    fifo = av.AudioFifo()
    for resampled in resampler.resample(frame):
        fifo.write(resampled)
    pts = round(start * rate)
    while (piece := fifo.read(size, partial=True)) is not None:
        piece.pts, piece.time_base = pts, Fraction(1, rate)
        pts += piece.samples
        packets += stream.encode(piece)
    return [*packets, *stream.encode(None)]


def _subtitle(stream: Any, start: Fraction, text: str) -> Any:
    packet = av.Packet(text.encode())
    packet.stream, packet.time_base = stream, Fraction(1, 1000)
    packet.pts = packet.dts = round(start * 1000) + {"one": 200, "two": 700}[text]
    packet.duration = 300
    return packet


def _add_other(container: Any, codec: str) -> Any:
    if codec == "klv":
        return container.add_data_stream(codec)
    stream = container.add_mux_stream(codec)
    stream.time_base = Fraction(1, 1000)
    stream.metadata["language"] = "deu"
    return stream


def _raw_packet(stream: Any, codec: str, start: Fraction, time: int) -> Any:
    packet = av.Packet({"mov_text": b"\0\3one", "webvtt": b"one"}.get(codec, bytes(range(20))))
    packet.stream, packet.time_base = stream, Fraction(1, 1000)
    packet.pts = packet.dts = round(start * 1000) + time
    packet.duration = 100
    return packet


def _chapter(number: int, start: int, end: int, title: str) -> Any:
    return {
        "id": number,
        "start": start,
        "end": end,
        "time_base": Fraction(1, 1000),
        "metadata": {"title": title},
    }
