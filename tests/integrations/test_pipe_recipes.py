"""The recipes with ffmpeg in docs/pipes.md, run word for word; skipped where there is no ffmpeg."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.clips import Clip, make_clip
from tests.support.jobs import frames_of
from tests.support.shared import ROOT
from vidrestore.video import probe

SECONDS = 300
needs_ffmpeg = pytest.mark.skipif(
    shutil.which("ffmpeg") is None or shutil.which("bash") is None,
    reason="needs the programs ffmpeg and bash",
)


def recipes() -> list[str]:
    """Those with ffmpeg, a line each."""
    text = (ROOT / "docs" / "pipes.md").read_text(encoding="utf-8")
    section = text.partition("## Recipes for other programs")[2]
    blocks = re.findall(r"^```sh\n(.*?)^```$", section, flags=re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines() if line.startswith("ffmpeg ")]


def run(line: str, folder: Path) -> None:
    """In `folder`, with a `vidrestore` that is this one."""
    make_clip(folder / "in.mp4", Clip(frames=25, sounds=("aac",)))
    program = folder / "bin" / "vidrestore"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m vidrestore "$@"\n')
    program.chmod(0o755)
    path = os.pathsep.join([str(program.parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", line],
        cwd=folder, env={**os.environ, "PATH": path},
        capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@needs_ffmpeg
def test_the_recipe_with_a_filter_and_an_encoder_works(tmp_path: Path) -> None:
    run(recipes()[0], tmp_path)
    result = probe(tmp_path / "filtered.mov")
    assert result.codec == "prores"
    assert len(frames_of(tmp_path / "filtered.mov")) == 25
    assert len(result.other_streams) == 1  # the sound


@needs_ffmpeg
def test_the_recipe_for_a_part_of_a_file_works(tmp_path: Path) -> None:
    run(recipes()[1], tmp_path)
    assert len(frames_of(tmp_path / "part.mkv")) == 10


def test_the_page_about_pipes_has_two_recipes() -> None:
    assert len(recipes()) == 2
