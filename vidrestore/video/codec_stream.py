"""Encodes and decodes a stream of pictures of any length, to simulate the loss of compression."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray


def stream_through_h264(
    pictures: Iterable[NDArray[np.uint8]], *, crf: int, key_frames_every: int = 25
) -> Iterator[NDArray[np.uint8]]:
    """The pictures after x264 in 4:2:0, in the same number and order. The result is reproducible.

    Args:
        pictures: (H, W, 3) RGB, all of one size with even sides.
        crf: Quality; larger is worse.
        key_frames_every: Number of frames from one key frame to the next.
    """
    encoder = av.CodecContext.create("libx264", "w")
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(encoder, av.VideoCodecContext)
    assert isinstance(decoder, av.VideoCodecContext)
    encoder.pix_fmt, encoder.framerate, encoder.time_base = "yuv420p", Fraction(25), Fraction(1, 25)
    encoder.thread_count = decoder.thread_count = 1
    # x264's macroblock tree is not reproducible with AVX-512.
    encoder.options = {
        "crf": str(crf),
        "preset": "veryfast",
        "g": str(key_frames_every),
        "x264-params": "mbtree=0",
    }
    index = -1
    for index, picture in enumerate(pictures):
        if index == 0:
            encoder.height, encoder.width = picture.shape[:2]
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        frame = frame.reformat(format="yuv420p")
        frame.pts, frame.time_base = index, Fraction(1, 25)
        for packet in encoder.encode(frame):
            yield from (_codes(f) for f in decoder.decode(packet))
    if index < 0:
        return
    for packet in encoder.encode(None):
        yield from (_codes(picture) for picture in decoder.decode(packet))
    yield from (_codes(picture) for picture in decoder.decode(None))


def _codes(picture: av.VideoFrame) -> NDArray[np.uint8]:
    return np.asarray(picture.to_ndarray(format="rgb24"), np.uint8)
