"""A folder of photos gives photos, among videos as well."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.support import photos
from tests.support.clips import Clip, make_clip
from vidrestore.errors import UsageError
from vidrestore.jobs.batch import restore_folder
from vidrestore.settings import Settings


def test_a_mask_is_for_one_file_alone(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(UsageError, match=r"names one file, and a batch has many"):
        restore_folder(tmp_path / "in", tmp_path / "out", Settings(mask="mask.mkv"))
    assert not (tmp_path / "out").exists()


def test_photos_stay_photos_of_their_kind(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    names = ["a.jpg", "b.png", "c.tif", "d.webp", "e.heic", "f.JPG"]
    for number, name in enumerate(names):
        source = photos.save(folder / name.lower(), photos.smooth(3, seed=number))
        source.rename(folder / name)
    make_clip(folder / "g.mp4", Clip(frames=3))
    settings = Settings(codec="h264", crf=30, container="mkv", quality=90, strength=0)
    outcomes = restore_folder(folder, out, settings)
    assert {outcome.state for outcome in outcomes} == {"restored"}, outcomes
    assert sorted(path.name for path in out.iterdir() if path.is_file() and path.name[0] != ".") == [
        *names,
        "g.mkv",
    ]
    for name in names:
        with Image.open(folder / name) as before, Image.open(out / name) as after:
            assert (after.format, after.size) == (before.format, before.size)
            assert after.getexif()[0x010F] == "Camera"
    outcomes = restore_folder(folder, out, settings)
    assert {outcome.state for outcome in outcomes} == {"up to date"}
