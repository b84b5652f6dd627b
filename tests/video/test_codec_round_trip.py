"""Pictures through an encoder and back: the same number and size, and worse at lower quality."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidrestore.types import FloatArray
from vidrestore.video.codec_round_trip import codec_round_trip
from vidrestore.video.h264_round_trip import h264_still

QUALITIES = {"libx264": (18, 40), "mpeg2video": (2, 25), "mpeg4": (2, 25)}


def pictures(height: int, width: int, count: int) -> list[FloatArray]:
    coarse = np.random.default_rng(0).random((12, 12, 3), np.float32)
    large = cv2.resize(coarse, (width + count, height), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    return [np.ascontiguousarray(large[:, i : i + width], np.float32) for i in range(count)]


def error(result: list[FloatArray], original: list[FloatArray]) -> float:
    return float(np.mean([np.abs(a - b).mean() for a, b in zip(result, original, strict=True)]))


@pytest.mark.parametrize("codec", list(QUALITIES))
@pytest.mark.parametrize(("height", "width"), [(64, 64), (47, 63), (16, 16)])
def test_encoding_and_decoding_keeps_the_number_and_size_of_frames(
    codec: str, height: int, width: int
) -> None:
    original = pictures(height, width, 3)
    result = codec_round_trip(original, codec=codec, quality=QUALITIES[codec][0])
    assert [frame.shape for frame in result] == [(height, width, 3)] * 3
    for frame in result:
        assert frame.dtype == np.float32
        assert frame.min() >= 0
        assert frame.max() <= 1
    assert error(result, original) < (0.05 if min(height, width) > 16 else 0.15)


@pytest.mark.parametrize("codec", list(QUALITIES))
def test_a_lower_quality_is_worse_and_the_same_each_time(codec: str) -> None:
    original = pictures(64, 64, 3)
    good, bad, again = (
        codec_round_trip(original, codec=codec, quality=QUALITIES[codec][i]) for i in (0, 1, 1)
    )
    assert error(bad, original) > 1.5 * error(good, original)
    assert error(good, original) < error(good, original[::-1])
    assert all(np.array_equal(a, b) for a, b in zip(bad, again, strict=True))


@pytest.mark.parametrize(("height", "width"), [(64, 64), (47, 63)])
def test_a_still_comes_back_as_one_frame(height: int, width: int) -> None:
    (original,) = pictures(height, width, 1)
    good, bad = (h264_still(original, crf=crf) for crf in (12, 44))
    assert good.shape == bad.shape == original.shape
    assert error([good], [original]) < 0.05
    assert error([bad], [original]) > error([good], [original])
