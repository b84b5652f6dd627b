"""User data comes out on the pictures it came in on, whatever the encoder makes of their order."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from tests.support.photos import convert
from vidrestore.video import probe, read_frames
from vidrestore.video.formats import pieces
from vidrestore.video.reading.look import look_at
from vidrestore.video.writing import user_data

FRAMES = 12


def text_of(number: int) -> bytes:
    """Two triplets, with bytes that a start code could be seen in."""
    return bytes([0xFC, 0x80 | number, 0x20, 0xFA, 0x00, 0x00])


def captioned(path: Path, encoder: str = "libx264", b_frames: int = 2, *, has_formats: bool = False) -> Path:
    with av.open(str(path), "w") as container:
        options: dict[str, str] = {"preset": "ultrafast", "bf": str(b_frames)} if encoder == "libx264" else {}
        stream: Any = container.add_stream(encoder, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for number in range(FRAMES + 1):
            picture = av.VideoFrame(96, 64, "yuv420p") if number < FRAMES else None
            if picture is not None:
                picture.pts, picture.time_base = number, Fraction(1, 25)
            for packet in stream.encode(picture):
                moment = round(packet.pts * packet.time_base * 25)
                active = moment % 16 if has_formats else None
                result = av.Packet(user_data.with_user_data(bytes(packet), encoder, text_of(moment), active))
                result.pts, result.dts, result.time_base = packet.pts, packet.dts, packet.time_base
                result.is_keyframe, result.stream = packet.is_keyframe, stream
                container.mux(result)
    return path


def texts(path: Path) -> list[bytes]:
    return [frame.captions for frame in read_frames(path, probe(path))]


def test_captions_are_read_with_their_pictures(tmp_path: Path) -> None:
    source = captioned(tmp_path / "in.mkv")
    assert "captions" in look_at(source).side_data.pieces
    assert texts(source) == [text_of(number) for number in range(FRAMES)]


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "ts"])
def test_captions_come_out_on_the_same_pictures(tmp_path: Path, suffix: str) -> None:
    source = captioned(tmp_path / "in.mkv")
    target = tmp_path / f"out.{suffix}"
    assert convert(source, target) == []
    assert texts(target) == texts(source)


@pytest.mark.parametrize(
    ("codec", "suffix"), [("hevc", "ts"), ("mpeg2", "ts"), ("av1", "mp4"), ("av1", "mkv"), ("av1", "webm")]
)
def test_captions_go_into_other_codecs(tmp_path: Path, codec: str, suffix: str) -> None:
    source = captioned(tmp_path / "in.mkv", b_frames=0)
    target = tmp_path / f"out.{suffix}"
    assert convert(source, target, codec=codec) == []
    assert texts(target) == texts(source)


def test_captions_are_read_from_av1_with_hidden_frames(tmp_path: Path) -> None:
    source = tmp_path / "in.mkv"
    convert(captioned(tmp_path / "first.mkv"), source, codec="av1", preset="8")
    target = tmp_path / "out.mp4"
    assert convert(source, target) == []
    assert texts(target) == [text_of(number) for number in range(FRAMES)]


@pytest.mark.parametrize(("codec", "suffix"), [("h264", "mp4"), ("hevc", "mkv"), ("mpeg2", "ts")])
def test_the_active_format_comes_out_on_the_same_pictures(tmp_path: Path, codec: str, suffix: str) -> None:
    source = captioned(tmp_path / "in.mkv", has_formats=True)
    assert "picture format" in look_at(source).side_data.pieces
    target = tmp_path / f"out.{suffix}"
    assert convert(source, target, codec=codec) == []
    frames = list(read_frames(target, probe(target)))
    assert [frame.active_format for frame in frames] == list(range(FRAMES))
    assert [frame.captions for frame in frames] == texts(source)


@pytest.mark.parametrize(("codec", "suffix"), [("ffv1", "mkv"), ("av1", "mp4")])
def test_an_active_format_that_has_no_place_is_named(tmp_path: Path, codec: str, suffix: str) -> None:
    source = captioned(tmp_path / "in.mkv", has_formats=True)
    warnings = convert(source, tmp_path / f"out.{suffix}", codec=codec)
    assert sum(pieces.PIECES["picture format"].name in warning for warning in warnings) == 1


@pytest.mark.parametrize(("codec", "suffix"), [("ffv1", "mkv"), ("vp9", "webm"), ("prores", "mov")])
def test_captions_that_have_no_place_are_named(tmp_path: Path, codec: str, suffix: str) -> None:
    source = captioned(tmp_path / "in.mkv")
    warnings = convert(source, tmp_path / f"out.{suffix}", codec=codec)
    assert sum(pieces.PIECES["captions"].name in warning for warning in warnings) == 1


def test_the_table_of_user_data_is_that_of_its_writer() -> None:
    assert user_data.CAPTION_ENCODERS == pieces.CAPTION_ENCODERS
    assert user_data.ACTIVE_FORMAT_ENCODERS == pieces.ACTIVE_FORMAT_ENCODERS
