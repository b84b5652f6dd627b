"""The pipeline's own arithmetic; whole runs are in golden/ and e2e/."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import vidrestore
from tests.support.clips import make_clip
from tests.support.frames import FORMATS
from vidrestore.pipeline import held_frames
from vidrestore.video import probe


@pytest.mark.parametrize(
    ("size", "pixels", "held"),
    [
        ((640, 480), "yuv420p", 32),
        ((1920, 1080), "yuv420p", 32),
        ((3840, 2160), "yuv420p", 16),
        ((3840, 2160), "yuv422p10le", 6),
        ((30000, 20000), "yuv444p", 1),
    ],
)
def test_fewer_frames_wait_the_larger_they_are(
    tmp_path: Path, size: tuple[int, int], pixels: str, held: int
) -> None:
    info = probe(make_clip(tmp_path / "clip.mp4"))
    width, height = size
    assert held_frames(replace(info, width=width, height=height, pixel_format=FORMATS[pixels])) == held


def test_a_face_that_was_asked_for_and_is_not_there_is_told(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    report = vidrestore.restore(clip, tmp_path / "out.mp4", faces="3,99")
    assert report.warnings == ("no face has the number 3, 99 in clip.mp4; vidrestore inspect lists them",)
