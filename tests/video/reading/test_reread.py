"""A part of a video read again gives the frames of the first reading, wherever decoding may begin."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.support.clips import Clip, make_clip
from tests.support.fingerprints import fingerprint_of
from vidrestore.errors import InputError
from vidrestore.video import checksum, open_input, probe, read_frames, reread_frames

CLIPS = {
    "B-frames": Clip(frames=60, gop=30, b_frames=3),
    "open groups": Clip(frames=60, gop=15, b_frames=3, options={"x264-params": "open-gop=1"}),
    "refreshed by stripes": Clip(
        frames=60, gop=20, b_frames=0, options={"x264-params": "intra-refresh=1:keyint=20"}
    ),
    "uneven": Clip(times=[t * 512 + (t % 4) * 90 for t in range(60)], time_base=Fraction(1, 12800)),
    "late": Clip(frames=60, start=Fraction(3)),
}


@pytest.mark.parametrize("extension", [".mp4", ".ts"])
@pytest.mark.parametrize("kind", CLIPS)
def test_any_part_of_a_video_gives_the_same_frames_when_read_again(
    tmp_path: Path, kind: str, extension: str
) -> None:
    path = make_clip(tmp_path / f"in{extension}", CLIPS[kind])
    info, original = probe(path), open_input(path)
    frames = list(read_frames(path, info))
    for first, stop in ((0, 7), (17, 18), (23, 48), (59, 60)):
        again = list(reread_frames(original, info, [fingerprint_of(f) for f in frames[first:stop]]))
        assert [fingerprint_of(f) for f in again] == [fingerprint_of(f) for f in frames[first:stop]]
    on = list(reread_frames(original, info, [fingerprint_of(f) for f in frames[31:33]], continue_after=True))
    assert [fingerprint_of(f) for f in on] == [fingerprint_of(f) for f in frames[31:]]


def test_a_video_that_has_changed_is_refused_when_read_again(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "in.mp4", CLIPS["B-frames"])
    info, original = probe(path), open_input(path)
    known = [fingerprint_of(f) for f in read_frames(path, info)]
    with pytest.raises(InputError, match="does not give the same frames"):
        list(reread_frames(original, info, [replace(known[20], pts=known[20].pts + 1)]))


def test_one_sample_changes_the_checksum(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "in.mp4", Clip(frames=1))
    (frame,) = read_frames(path, probe(path))
    planes = [np.array(plane) for plane in frame.planes]
    planes[2][5, 5] ^= 1
    assert checksum(replace(frame, planes=tuple(planes))) != checksum(frame)
