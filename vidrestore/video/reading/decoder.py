"""The decoder of a stream: no packet is given to FFmpeg that would unpack to more than any real one."""

from __future__ import annotations

import errno

import av
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from vidrestore.video.photos import png

_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""The decoders that read alpha; FFmpeg's own ones ignore it."""
_PNG = {"png", "apng"}
NOT_WHEN_OPENING = frozenset(_PNG)
"""Decoders that must not run while FFmpeg opens a container: packets cannot be examined before."""


class Decoder:
    """Decodes a stream's packets."""

    def __init__(self, stream: VideoStream, on_gpu: av.VideoCodecContext | None = None) -> None:
        """Uses the stream's own context, unless another decoder is given or is needed for its alpha."""
        self._coder: VideoStream | av.VideoCodecContext = stream
        self.context = stream.codec_context
        if on_gpu is not None:
            self._coder = self.context = on_gpu
        elif has_separate_alpha(stream):
            decoder = av.CodecContext.create(_ALPHA_DECODERS[self.context.codec.canonical_name], "r")
            assert isinstance(decoder, av.VideoCodecContext)
            decoder.options = dict(stream.codec_context.options)
            self._coder = self.context = decoder
        self._is_png = self.context.codec.name in _PNG

    def use_threads(self) -> None:
        """Decodes with several threads, if no packet was decoded yet."""
        if not self.context.is_open:
            self._coder.thread_type = "AUTO"

    def decode(self, packet: Packet[Stream] | None) -> list[av.VideoFrame]:
        """The pictures that a packet completes; None: the end.

        Raises:
            FFmpegError: The packet is damaged, or unpacks to more than any real one.
        """
        if packet is not None and self._is_png and png.is_bomb(bytes(packet)):
            raise av.error.InvalidDataError(errno.EINVAL, "a profile or texts of more than 64 MB unpacked")
        pictures: list[av.VideoFrame] = self._coder.decode(packet)
        return pictures


def has_separate_alpha(stream: VideoStream) -> bool:
    """Whether alpha of VP8 or VP9 is stored in separate packets."""
    tags = {key.lower(): text for key, text in stream.metadata.items()}
    return stream.codec_context.codec.canonical_name in _ALPHA_DECODERS and tags.get("alpha_mode") == "1"
