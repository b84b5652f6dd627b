"""The container of an output, and the warning if its name does not fit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.clips import Clip, make_clip
from tests.support.photos import convert
from vidrestore.errors import OutputError
from vidrestore.video.formats.containers import extension_for

SHORT = Clip(frames=3, b_frames=0)


@pytest.mark.parametrize(("codec", "suffix"), [("prores", ".mov"), ("dnxhr", ".mov"), ("ffv1", ".mkv")])
def test_the_usual_suffix_is_suggested_for_a_codec_that_does_not_fit(
    tmp_path: Path, codec: str, suffix: str
) -> None:
    source = make_clip(tmp_path / "in.mp4", SHORT)
    assert extension_for({"prores": "prores_ks", "dnxhr": "dnxhd"}.get(codec, codec)) == suffix
    if codec != "ffv1":
        with pytest.raises(OutputError, match=r"ends in \.mov"):
            convert(source, tmp_path / "out.mp4", codec=codec)


def test_a_gif_of_a_video_is_reported_to_have_256_colours(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "in.mp4", SHORT)
    assert "256 colours" in " ".join(convert(source, tmp_path / "out.gif"))


@pytest.mark.parametrize(("name", "container", "warns"), [("a.mp4", "mkv", True), ("a.mkv", "mkv", False)])
def test_a_suffix_of_another_container_gives_a_warning(
    tmp_path: Path, name: str, container: str, warns: bool
) -> None:
    source = make_clip(tmp_path / "in.mkv", SHORT)
    warnings = convert(source, tmp_path / name, container=container)
    assert ("although its suffix differs" in " ".join(warnings)) is warns


def test_av1_writes_no_page_to_standard_error(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "in.mkv", SHORT)
    code = (
        "import sys; from pathlib import Path; from tests.support.photos import convert; "
        "convert(Path(sys.argv[1]), Path(sys.argv[2]), codec='av1', preset='12')"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(source), str(tmp_path / "out.mkv")],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert result.stderr == ""
