"""A frame near a time, without decoding up to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.films import make_film
from tests.support.footage import Footage, make_footage, panned
from tests.support.jobs import frames_of
from vidrestore import InputError
from vidrestore.video import key_frame_near, probe


def test_the_key_frame_before_the_time_is_returned(tmp_path: Path) -> None:
    h264 = Footage(codec="libx264", options={"g": "10", "keyint_min": "10", "sc_threshold": "0", "bf": "0"})
    film = make_film(tmp_path / "in.mp4", 30, (), h264)
    frames = frames_of(film)
    for at, expected in ((0.0, 0), (0.2, 0), (0.6, 10), (10 / 25, 10), (29 / 25, 20), (9.0, 20)):
        found = key_frame_near(film, probe(film), at)
        assert found is not None
        assert found.pts == frames[expected].pts
        assert np.array_equal(found.planes[0], frames[expected].planes[0])


def test_a_video_without_an_index_gives_some_frame(tmp_path: Path) -> None:
    film = make_footage(tmp_path / "in.m2v", panned(8), Footage(codec="mpeg2video"))
    assert key_frame_near(film, probe(film), 0.2) is not None


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    film = make_film(tmp_path / "in.mkv", 3, ())
    info = probe(film)
    film.write_bytes(b"no video")
    with pytest.raises(InputError):
        key_frame_near(film, info, 0.0)
