"""Encodes pictures as video and decodes them again, to simulate the loss of compression."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

import av
import numpy as np

from vidrestore.types import FloatArray

Codec = Literal["libx264", "mpeg2video", "mpeg4"]
_DECODERS = {"libx264": "h264", "mpeg2video": "mpeg2video", "mpeg4": "mpeg4"}


def codec_round_trip(frames: Sequence[FloatArray], *, codec: str, quality: int) -> list[FloatArray]:
    """The frames after encoding in 4:2:0 and decoding, one for each.

    Args:
        frames: (H, W, 3) RGB in 0..1 each. An odd side loses its last row or column and gets it back by
            repetition.
        codec: One of `Codec`.
        quality: The CRF of libx264, the quantiser scale of the others; larger is worse.
    """
    full_height, full_width = frames[0].shape[:2]
    height, width = full_height // 2 * 2, full_width // 2 * 2
    encoder = av.CodecContext.create(codec, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.framerate, encoder.time_base = Fraction(25), Fraction(1, 25)
    encoder.thread_count = 1
    if codec == "libx264":
        encoder.options = {"crf": str(quality), "preset": "veryfast", "tune": "zerolatency"}
    else:
        encoder.gop_size, encoder.max_b_frames = 12, 0
        # FFmpeg's fixed quantiser scale is read from each frame, which PyAV cannot set.
        encoder.options = {"qmin": str(quality), "qmax": str(quality)}
    packets = []
    for index, picture in enumerate(frames):
        codes = np.ascontiguousarray(np.round(picture[:height, :width] * 255).astype(np.uint8))
        frame = av.VideoFrame.from_ndarray(codes, format="rgb24").reformat(format="yuv420p")
        frame.pts = index
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    decoder = av.CodecContext.create(_DECODERS[codec], "r")
    assert isinstance(decoder, av.VideoCodecContext)
    decoder.thread_count = 1
    decoded = [f for packet in [*packets, None] for f in decoder.decode(packet)]
    padding = ((0, full_height - height), (0, full_width - width), (0, 0))
    return [
        np.pad(f.to_ndarray(format="rgb24").astype(np.float32) / 255, padding, mode="edge") for f in decoded
    ]
