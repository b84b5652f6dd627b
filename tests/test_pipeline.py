"""The pipeline's own arithmetic; whole runs are in golden/ and e2e/."""

from __future__ import annotations

from pathlib import Path

import vidrestore
from tests.support.clips import make_clip


def test_a_face_that_was_asked_for_and_is_not_there_is_told(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    report = vidrestore.restore(clip, tmp_path / "out.mp4", faces="3,99")
    assert report.warnings == ("no face has the number 3, 99 in clip.mp4; vidrestore inspect lists them",)
