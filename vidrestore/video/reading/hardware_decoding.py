"""Decodes on an NVIDIA GPU (NVDEC), if its pictures equal those of FFmpeg's own decoder.

The codecs below define each sample of a picture, but drivers, profiles and damaged files may disagree. So the
first pictures of each input are decoded both ways and compared before the GPU is used. A GPU does not report
damage inside a picture, so the setting `strict` excludes it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, zip_longest

import av
import numpy as np
from av.codec.hwaccel import HWAccel
from av.video.stream import VideoStream

from vidrestore.types import Plane, VideoInfo
from vidrestore.video.formats import pixel_formats
from vidrestore.video.reading import demuxer, stream_info
from vidrestore.video.reading.decoder import has_separate_alpha
from vidrestore.video.reading.input import Input

CODECS = {"h264", "hevc", "vp9", "av1"}
PIXEL_FORMATS = {"yuv420p", "yuv420p10le"}
"""Formats that NVDEC returns with the same samples, as nv12 and p010le."""
COMPARED_PICTURES = 8
DEVICE = "cuda"

logger = logging.getLogger(__name__)

GpuDecoder = av.VideoCodecContext


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why FFmpeg's own decoder is used."""

    reason: str
    is_expected: bool = False
    """Whether nobody would expect the GPU to decode here, so that `auto` says nothing."""


_refusals: dict[tuple[object, ...], Refusal | None] = {}
"""The results of comparisons in this process, by `_identity` of the input; None: the pictures are equal."""


def hardware_decoder_for(stream: VideoStream, input: Input, info: VideoInfo) -> GpuDecoder | None:
    """A decoder on the GPU, if the input asks for one and it is right; None: use FFmpeg's own.

    The first time that an input is refused, a warning says why; `auto` is silent where there is no such GPU.

    Args:
        stream: The video stream, opened.
        input: The input.
        info: Its properties.
    """
    if input.hwaccel == "none":
        return None
    key = _identity(input)
    is_first = key not in _refusals
    if is_first:
        _refusals[key] = _refusal(input, info)
    refusal = _refusals[key]
    if refusal is None:
        return make_decoder(stream)
    if is_first and not (input.hwaccel == "auto" and refusal.is_expected):
        logger.warning(
            "%s is decoded by the CPU, not by --hwaccel %s: %s", input.path, input.hwaccel, refusal.reason
        )
    return None


def make_decoder(stream: VideoStream) -> GpuDecoder:
    """A decoder of the stream's packets on the GPU.

    Raises:
        av.FFmpegError: There is no such GPU, or no driver.
    """
    context = stream.codec_context
    decoder = av.CodecContext.create(context.codec.canonical_name, "r", HWAccel(DEVICE))
    assert isinstance(decoder, av.VideoCodecContext)
    decoder.extradata = context.extradata
    decoder.options = dict(context.options)
    return decoder


def _refusal(input: Input, info: VideoInfo) -> Refusal | None:
    """None: the GPU decodes the first pictures of the input, and they equal FFmpeg's."""
    if info.codec not in CODECS or info.pixel_format.name not in PIXEL_FORMATS:
        what = f"{info.codec} in {info.pixel_format.name}"
        return Refusal(f"{what} is not among what it decodes without any difference", is_expected=True)
    if not input.can_seek:
        return Refusal("pictures of a pipe cannot be decoded twice to compare them", is_expected=True)
    with demuxer.open_container(input) as one, demuxer.open_container(input) as other:
        streams = [stream_info.video_stream(container, input) for container in (one, other)]
        if has_separate_alpha(streams[0]):
            return Refusal("it does not decode transparency", is_expected=True)
        try:
            on_gpu = make_decoder(streams[1])
        except (av.FFmpegError, OSError, NotImplementedError, ValueError) as error:
            return Refusal(f"there is no NVIDIA GPU that decodes ({error})", is_expected=True)
        return _difference(
            islice(_pictures(one, streams[0], streams[0]), COMPARED_PICTURES),
            islice(_pictures(other, streams[1], on_gpu), COMPARED_PICTURES),
        )


def _difference(own: Iterator[av.VideoFrame], on_gpu: Iterator[av.VideoFrame]) -> Refusal | None:
    try:
        for number, (expected, found) in enumerate(zip_longest(own, on_gpu), 1):
            if expected is None or found is None:
                return Refusal(f"it decodes another number of pictures, from number {number} on")
            if found.format.name == expected.format.name:
                return Refusal("the GPU does not decode this kind of video")
            if found.pts != expected.pts or not _equal(
                pixel_formats.unpack(expected), pixel_formats.unpack(found)
            ):
                return Refusal(f"picture {number} differs from that of FFmpeg's own decoder")
    except (av.FFmpegError, OSError) as error:
        return Refusal(f"the GPU cannot decode it ({error})")
    return None


def _pictures(
    container: av.container.InputContainer, stream: VideoStream, decoder: VideoStream | GpuDecoder
) -> Iterator[av.VideoFrame]:
    for packet in demuxer.packets(container, stream):
        if packet is not None:
            yield from decoder.decode(packet)
    yield from decoder.decode(None)


def _equal(one: tuple[Plane, ...], other: tuple[Plane, ...]) -> bool:
    return len(one) == len(other) and all(
        np.array_equal(a, b) and a.dtype == b.dtype for a, b in zip(one, other, strict=True)
    )


def _identity(input: Input) -> tuple[object, ...]:
    try:
        state = input.path.stat()
    except OSError:
        return (str(input.path), input.hwaccel)
    return (str(input.path), input.hwaccel, state.st_size, state.st_mtime_ns)
