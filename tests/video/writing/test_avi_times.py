"""AVI stores no presentation times, so its pictures are not reordered."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

import vidrestore
from tests.support.clips import Clip, make_clip

FRAMES = 36


@pytest.mark.parametrize("segment", [0, 0.5])
@pytest.mark.parametrize("codec", ["match", "libx264", "mpeg2video", "mpeg4"])
def test_pictures_in_avi_keep_their_order_and_distances(tmp_path: Path, codec: str, segment: float) -> None:
    clip = Clip(frames=FRAMES, sounds=("pcm_s16le",), time_base=Fraction(1, 1000))
    source, output = make_clip(tmp_path / "in.mkv", clip), tmp_path / "out.avi"
    vidrestore.restore(source, output, faces="none", codec=codec, segment=segment)
    with av.open(output) as result:
        times = [frame.pts * result.streams.video[0].time_base for frame in result.decode(video=0)]
    # FFmpeg still expects reordered pictures: it counts from one picture later, and guesses the last time.
    assert len(times) == FRAMES
    assert [time - times[0] for time in times[:-1]] == [Fraction(n, 25) for n in range(FRAMES - 1)]
