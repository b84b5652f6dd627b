"""Containers in which FFmpeg cannot seek are read from the start."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support.clips import Clip, make_clip, packets_of
from vidrestore.types import Frame
from vidrestore.video import VideoWriter, key_frame_near, probe, read_frames
from vidrestore.video.reading.frames import read_ticks
from vidrestore.video.reading.input import Input

START = 0.4


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A second of Flash video with sound: SWF has no index."""
    clip = Clip(frames=25, codec="flv", time_base=Fraction(1, 25), b_frames=0, sounds=("libmp3lame",), gop=5)
    path = make_clip(tmp_path / "clip.swf", clip)
    with av.open(str(path)) as container, pytest.raises(av.FFmpegError):
        container.seek(500000, backward=True)
    return path


def _same(frames: list[Frame], others: list[Frame]) -> bool:
    return [frame.pts for frame in frames] == [frame.pts for frame in others] and all(
        np.array_equal(one.planes[0], other.planes[0]) for one, other in zip(frames, others, strict=True)
    )


def test_a_part_has_the_frames_of_the_whole(film: Path) -> None:
    info = probe(film)
    frames = list(read_frames(film, info))
    first = frames[0].pts + round(Fraction(str(START)) / info.time_base)
    rest = [frame for frame in frames if frame.pts >= first]
    assert 10 < len(rest) < len(frames)
    assert _same(list(read_frames(film, info, start=START)), rest)
    assert _same(list(read_ticks(Input(path=film), info, first=first, stop=rest[5].pts)), rest[:5])


def test_a_preview_shows_the_frame_at_its_time(film: Path) -> None:
    info = probe(film)
    found = key_frame_near(film, info, START)
    expected = next(read_frames(film, info, start=START))
    assert found is not None
    assert (found.pts, np.array_equal(found.planes[0], expected.planes[0])) == (expected.pts, True)


def test_sound_is_cut_with_the_picture(film: Path, tmp_path: Path) -> None:
    info, output = probe(film), tmp_path / "out.mkv"
    with VideoWriter(output, info, start=START) as writer:
        for frame in read_frames(film, info, start=START):
            writer.write(frame)
    assert writer.warnings == []
    (original,), (result,) = packets_of(film, "audio"), packets_of(output, "audio")
    assert 10 < len(result) < len(original)
    assert [packet[2] for packet in result] == [packet[2] for packet in original[-len(result) :]]
    assert result[0][0] < Fraction(1, 20)
