"""Really degraded footage through the real pipeline."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

import vidrestore
from tests.support.clips import packets_of
from tests.support.shared import SHARED, needs_shared


def times(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [frame.time for frame in container.decode(video=0)]


@needs_shared
@pytest.mark.parametrize(("name", "least"), [("talkshow_lq", 0.98), ("lq128", 0.85)])
def test_the_face_is_followed_and_the_rest_comes_back(name: str, least: float, tmp_path: Path) -> None:
    clip, target = SHARED / "clips" / f"{name}.mp4", tmp_path / "restored.mp4"
    report = vidrestore.restore(clip, target, end=1.5)
    assert report.frames_with_faces >= least * report.frames
    wanted = times(clip)[: report.frames]
    assert times(target) == pytest.approx(wanted, abs=1e-9)
    assert packets_of(target, "audio") == packets_of(clip, "audio")[: len(packets_of(target, "audio"))]
