"""A small file cannot make the program use more memory than its limits, nor state impossible numbers."""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

import vidrestore
from tests.support.clips import Clip, make_clip
from vidrestore.errors import InputError, UsageError
from vidrestore.video import open_input, probe, read_frames
from vidrestore.video.exr import exr_file

PICTURES = {
    "png": Clip(frames=1, codec="png", pixel_format="rgb24"),
    "jpg": Clip(frames=1, codec="mjpeg", pixel_format="yuvj420p"),
    "tif": Clip(frames=1, codec="tiff", pixel_format="rgb24"),
    "bmp": Clip(frames=1, codec="bmp", pixel_format="bgr24"),
}
VIDEOS = {
    "mp4": Clip(frames=3),
    "mkv": Clip(frames=3, codec="ffv1", time_base=Fraction(1, 1000)),
    "ts": Clip(frames=3, time_base=Fraction(1, 90000)),
}


@pytest.mark.parametrize("kind", [*PICTURES, *VIDEOS])
def test_pictures_above_the_limit_are_refused_with_one_error_message(tmp_path: Path, kind: str) -> None:
    path = make_clip(tmp_path / f"in.{kind}", (PICTURES | VIDEOS)[kind])
    with pytest.raises(InputError, match=r"96 x 64 .*--max-pixels 6144") as raised:
        probe(open_input(path, max_pixels=6143))
    assert "\n" not in str(raised.value)
    assert probe(open_input(path, max_pixels=6144)).width == 96


def test_a_large_exr_is_refused_by_its_header(tmp_path: Path) -> None:
    """OpenCV reads it, which knows nothing of FFmpeg's limit."""
    for number, size in ((1, (64, 96)), (2, (640, 960))):
        exr_file.save(tmp_path / f"{number}.exr", np.zeros((*size, 3), np.float32), half=True)
    with pytest.raises(InputError, match=r"960 x 640 .*--max-pixels 614400"):
        probe(open_input(tmp_path / "2.exr", max_pixels=6144))
    sequence = open_input(tmp_path / "%d.exr", max_pixels=6144)
    with pytest.raises(InputError, match=r"2.exr .*960 x 640 .*--max-pixels 614400"):
        list(read_frames(sequence, probe(sequence)))


def test_raw_video_above_the_limit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in.raw").write_bytes(bytes(1000))
    with pytest.raises(UsageError, match="--max-pixels"):
        open_input(
            tmp_path / "in.raw",
            fps=Fraction(25),
            input_format="rawvideo",
            pixel_format="yuv420p",
            size=(99999, 99999),
        )


def test_the_commands_have_the_limit_and_the_option(tmp_path: Path) -> None:
    path = _bomb(tmp_path / "bomb.png")
    assert path.stat().st_size < 300_000
    with pytest.raises(InputError, match=r"12000 x 12000 .*--max-pixels 144000000"):
        vidrestore.restore(path, tmp_path / "out.png")
    with pytest.raises(InputError, match="--max-pixels"):
        vidrestore.inspect(path)
    small = make_clip(tmp_path / "small.png", PICTURES["png"])
    with pytest.raises(InputError, match="--max-pixels"):
        vidrestore.inspect(small, max_pixels=1000)
    assert vidrestore.inspect(small, max_pixels=6144).frames == 1


def test_a_picture_of_a_sequence_that_is_too_large_is_a_lost_frame(tmp_path: Path) -> None:
    for number in range(1, 41):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((64, 96, 3), 90, np.uint8))
    _bomb(tmp_path / "5.png")
    sequence = open_input(tmp_path / "%d.png")
    lost: list[int] = []
    frames = list(read_frames(sequence, probe(sequence), on_lost=lambda: lost.append(1)))
    assert [(frame.pts, frame.width, frame.height) for frame in frames] == [(n, 96, 64) for n in range(40)]
    assert len(lost) == 1


TAGS = {
    "a superscript": "²",
    "digits of another script": "٣٠",
    "5000 digits": "9" * 5000,
    "a number beyond all clips": "999999999999999999",
    "less than nothing": "-3",
    "nothing": "",
}


@pytest.mark.parametrize("text", TAGS.values(), ids=TAGS)
def test_matroska_tags_that_are_no_counts_are_not_used(tmp_path: Path, text: str) -> None:
    path = _with_tag(tmp_path / "in.mkv", "NUMBER_OF_FRAMES", text)
    info = probe(path)
    assert (info.frame_count, info.is_counted) == (30, False)
    assert len(list(read_frames(path, info))) == 30


@pytest.mark.parametrize(
    "text",
    ["²:00:01.2", "9999999999999999999999:00:00", "00:00:" + "9" * 5000, "00:00:01." + "3" * 5000, "x", ""],
    ids=["superscript", "many hours", "5000 digits", "5000 decimals", "x", "empty"],
)
def test_matroska_tags_that_are_no_durations_are_not_used(tmp_path: Path, text: str) -> None:
    info = probe(_with_tag(tmp_path / "in.mkv", "DURATION", text))
    assert info.duration is not None
    assert 1 <= float(info.duration) <= 2


def _with_tag(path: Path, name: str, text: str) -> Path:
    """A clip whose video stream has the tag; the muxer's own of that name gives way to it."""
    make_clip(path, Clip(time_base=Fraction(1, 1000), stream_metadata={"X" * len(name): text}))
    content = path.read_bytes()
    content = content.replace(name.encode(), b"Y" * len(name))
    path.write_bytes(content.replace(b"X" * len(name), name.encode()))
    return path


def _bomb(path: Path, side: int = 12000) -> Path:
    """A black picture whose file is next to nothing."""
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(1 + side)) for _ in range(side)) + packer.flush()
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", rows), (b"IEND", b""))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
            for name, body in chunks
        )
    )
    return path


def test_a_compressed_index_of_a_gigabyte_is_refused(tmp_path: Path) -> None:
    def box(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content) + 8) + name + content

    path = tmp_path / "in.mov"
    packed = struct.pack(">I", 1 << 30) + zlib.compress(bytes(1 << 20))
    index = box(b"cmov", box(b"dcom", b"zlib") + box(b"cmvd", packed))
    head = box(b"ftyp", b"qt  " + bytes(4) + b"qt  ") + box(b"mdat", bytes(50))
    path.write_bytes(head + box(b"moov", index))
    with pytest.raises(InputError, match=r"the index of .* unpacks to more than 64 MB"):
        probe(path)


@pytest.mark.parametrize(("offset", "value"), [(20, 0), (24, 0), (24, 2**32 - 1), (32, 2**32 - 1)])
def test_damaged_numbers_of_an_avi_cost_no_frame(tmp_path: Path, offset: int, value: int) -> None:
    """Scale, rate and length of its video."""
    path = make_clip(tmp_path / "in.avi", Clip(frames=6, codec="mpeg4", b_frames=0))
    file = bytearray(path.read_bytes())
    struct.pack_into("<I", file, file.index(b"strh") + 8 + offset, value)
    path.write_bytes(file)
    report = vidrestore.restore(path, tmp_path / "out.mkv", faces="none")
    assert report.frames == 6
    if offset == 32:
        assert report.damage == 0
