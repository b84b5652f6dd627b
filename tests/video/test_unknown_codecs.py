"""Streams in a codec that FFmpeg does not know."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from tests.support.clips import Clip, make_clip, make_two_videos, packets_of
from vidrestore.errors import InputError
from vidrestore.video import VideoWriter, open_video, read_frames
from vidrestore.video.reading.stream_digest import sound_digests


def _rename(path: Path, codec: bytes, *, last: bool = False) -> Path:
    """Replaces the codec's name in the file's header: for the first or the last stream that states it."""
    content = path.read_bytes()
    at = content.rfind(codec) if last else content.find(codec)
    path.write_bytes(content[:at] + codec[:1] + b"z" * (len(codec) - 1) + content[at + len(codec) :])
    return path


def _restore(source: Path, output: Path) -> list[str]:
    opened = open_video(source)
    with VideoWriter(output, opened.info, source=opened.input) as writer:
        for frame in read_frames(opened.input, opened.info):
            writer.write(frame)
    return writer.warnings


VIDEOS = [("mkv", b"V_MPEG4/ISO/AVC"), ("mp4", b"avc1")]


@pytest.mark.parametrize(("kind", "codec"), VIDEOS)
def test_a_first_video_of_unknown_codec_is_refused_with_its_reason(
    tmp_path: Path, kind: str, codec: bytes
) -> None:
    source = _rename(make_clip(tmp_path / f"clip.{kind}"), codec, last=True)
    with pytest.raises(InputError, match="in a format that cannot be decoded here"):
        open_video(source)


@pytest.mark.parametrize(("kind", "codec"), VIDEOS)
def test_a_further_video_of_unknown_codec_is_left_out_and_named(
    tmp_path: Path, kind: str, codec: bytes
) -> None:
    source, output = (
        _rename(make_two_videos(tmp_path / f"clip.{kind}"), codec, last=True),
        tmp_path / "out.mkv",
    )
    (warning,) = _restore(source, output)
    assert "video stream 1 (unnamed" in warning
    assert [len(packets) for packets in packets_of(output, "video")] == [30]


@pytest.mark.parametrize(
    ("codec", "name", "kept"),
    [(b"A_AAC", "audio stream 1 (unnamed", "subtitle"), (b"S_TEXT/UTF8", "subtitle stream 2 (unn", "audio")],
)
def test_sound_and_subtitles_of_unknown_codec_are_left_out_and_named(
    tmp_path: Path, codec: bytes, name: str, kept: str
) -> None:
    clip = Clip(time_base=Fraction(1, 1000), sounds=("aac",), subtitles=True)
    source, output = _rename(make_clip(tmp_path / "clip.mkv", clip), codec), tmp_path / "out.mkv"
    (warning,) = _restore(source, output)
    assert name in warning
    assert packets_of(output, kept) == packets_of(source, kept)


def test_sound_of_unknown_codec_has_a_digest(tmp_path: Path) -> None:
    clip = Clip(time_base=Fraction(1, 1000), sounds=("aac",))
    source = _rename(make_clip(tmp_path / "clip.mkv", clip), b"A_AAC")
    (digest,) = sound_digests(source)
    assert digest.codec == "unnamed"
    assert digest.packets > 10
