"""A single picture in, a single picture out."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

import vidrestore
from tests.support.clips import Clip, make_clip
from tests.support.picture_sequences import (
    HEIGHT,
    WIDTH,
    noise_pictures,
    read_samples,
)
from vidrestore.errors import UsageError


@pytest.mark.parametrize("kind", ["png", "tif", "bmp", "jpg", "exr", "webp"])
@pytest.mark.parametrize("temporal", [0.0, 1.0])
def test_one_picture_becomes_one_picture(tmp_path: Path, kind: str, temporal: float) -> None:
    source = tmp_path / "face.png"
    smooth = cv2.resize(
        noise_pictures("uint8", 3)(1)[:8, :12], (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC
    )
    cv2.imwrite(str(source), smooth)
    report = vidrestore.restore(source, tmp_path / f"out.{kind}", temporal=temporal, deflicker=True)
    assert report.frames == 1
    result = read_samples(tmp_path / f"out.{kind}")
    if kind == "exr":
        result = np.round(
            np.where(
                result > 0.0031308, 1.055 * np.maximum(result, 1e-9) ** (1 / 2.4) - 0.055, result * 12.92
            )
            * 255
        )
    assert np.abs(result.astype(float) - smooth).mean() < (4 if kind in ("jpg", "webp") else 0.3)


def test_a_video_does_not_go_into_one_picture(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "in.mp4", Clip(frames=3))
    with pytest.raises(UsageError, match=r"is one picture, .*o-%05d\.png"):
        vidrestore.restore(source, tmp_path / "o.png")
    assert list(tmp_path.iterdir()) == [source]


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("kind", ["png", "jpg", "exr"])
def test_a_photograph_comes_out_as_it_is_shown(tmp_path: Path, orientation: int, kind: str) -> None:
    smooth = cv2.resize(noise_pictures("uint8", 3)(2)[:4, :6], (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    packed = cv2.imencode(".jpg", smooth, [cv2.IMWRITE_JPEG_QUALITY, 98])[1].tobytes()
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    tags = b"Exif\0\0" + b"II*\0" + struct.pack("<IH", 8, 1) + entry + struct.pack("<I", 0)
    source = tmp_path / "photograph.jpg"
    source.write_bytes(packed[:2] + b"\xff\xe1" + struct.pack(">H", len(tags) + 2) + tags + packed[2:])
    vidrestore.restore(source, tmp_path / f"out.{kind}")
    shown = cv2.imread(str(source))  # OpenCV turns by EXIF
    result = (
        cv2.imread(str(tmp_path / f"out.{kind}")) if kind == "jpg" else read_samples(tmp_path / f"out.{kind}")
    )
    assert result is not None
    assert shown is not None
    assert result.shape == shown.shape
    assert np.corrcoef(result.ravel(), shown.ravel())[0, 1] > 0.9
