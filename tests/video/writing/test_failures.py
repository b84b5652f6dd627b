"""Full disks, folders that may not be written to, an encoder that fails: one error message, and no file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import vidrestore
from tests.support.clips import Clip, make_clip
from vidrestore.errors import OutputError, ProcessingError
from vidrestore.video.writing.pixel_conversion import PixelConverter


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    clip = Clip(frames=60, size=(320, 240), time_base=Fraction(1, 1000), options={"crf": "4"})
    return make_clip(tmp_path_factory.mktemp("source") / "in.mkv", clip)


def _mounted(folder: Path, options: str) -> Iterator[Path]:
    if sys.platform != "linux":
        pytest.skip("small disks are made on Linux only")
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a disk can be mounted by root only, and not in every container")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    yield from _mounted(tmp_path / "small", "size=64k")


@pytest.fixture
def read_only_disk(tmp_path: Path) -> Iterator[Path]:
    yield from _mounted(tmp_path / "read_only", "size=64k,ro")


NAMES = ["out.mkv", "out.mp4", "out.mov", "out.ts", "out.avi", "%04d.png", "%04d.exr"]


@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk_is_reported_and_no_file_is_left(source: Path, small_disk: Path, name: str) -> None:
    before = source.read_bytes()
    how: dict[str, Any] = {} if "%" in name else {"codec": "libx264", "crf": 2.0}
    with pytest.raises(OutputError, match=r"cannot write .*the disk is full"):
        vidrestore.restore(source, small_disk / name, **how)
    assert list(small_disk.iterdir()) == []
    assert source.read_bytes() == before


@pytest.mark.parametrize("name", ["out.mp4", "%04d.png", "%04d.exr"])
def test_a_read_only_disk_is_reported(source: Path, read_only_disk: Path, name: str) -> None:
    with pytest.raises(OutputError, match="the disk is read-only"):
        vidrestore.restore(source, read_only_disk / name)


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "%04d.png"])
def test_an_encoder_that_breaks_leaves_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    import av

    calls = 0
    convert = PixelConverter.convert

    def breaks(self: PixelConverter, planes: Any) -> av.VideoFrame:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise av.error.ExternalError(-542398533, "Generic error in an external library")
        return convert(self, planes)

    monkeypatch.setattr(PixelConverter, "convert", breaks)
    with pytest.raises(ProcessingError, match="failed"):
        vidrestore.restore(source, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_vanishes_is_reported(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    folder = tmp_path / "gone"
    folder.mkdir()
    convert = PixelConverter.convert

    def removes(self: PixelConverter, planes: Any) -> Any:
        shutil.rmtree(folder, ignore_errors=True)
        return convert(self, planes)

    monkeypatch.setattr(PixelConverter, "convert", removes)
    with pytest.raises(OutputError, match="folder does not exist any more"):
        vidrestore.restore(source, folder / "out.mkv")
