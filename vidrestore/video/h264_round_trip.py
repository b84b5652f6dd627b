"""Encodes one picture as H.264 and decodes it again, to simulate the loss of compression."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np

from vidrestore.types import FloatArray


def h264_still(picture: FloatArray, *, crf: int) -> FloatArray:
    """The picture after x264 in 4:2:0, as a single intra frame of that quality.

    The last row or column of an odd side is lost and replaced by repetition.

    Args:
        picture: (H, W, 3) RGB in 0..1.
        crf: Quality; larger is worse.
    """
    height, width = picture.shape[0] // 2 * 2, picture.shape[1] // 2 * 2
    codes = np.round(picture[:height, :width] * 255).astype(np.uint8)
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.framerate = Fraction(25)
    encoder.thread_count = 1
    encoder.options = {"crf": str(crf), "preset": "veryfast", "tune": "zerolatency"}
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(codes), format="rgb24").reformat(format="yuv420p")
    frame.pts = 0
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    decoder.thread_count = 1
    frames = [f for packet in [*packets, None] for f in decoder.decode(packet)]
    decoded = frames[0].to_ndarray(format="rgb24").astype(np.float32) / 255
    padding = ((0, picture.shape[0] - height), (0, picture.shape[1] - width), (0, 0))
    return np.pad(decoded, padding, mode="edge")
