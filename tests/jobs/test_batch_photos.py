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


def test_photos_keep_their_format(tmp_path: Path) -> None:
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


def test_animations_with_the_suffix_of_a_picture_stay_animations(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    pictures = [photos.picture(photos.smooth(3, seed=number)) for number in range(3)]
    for name in ("a.png", "b.webp"):
        pictures[0].save(folder / name, save_all=True, append_images=pictures[1:], duration=80, loop=2)
    photos.save(folder / "c.png", photos.smooth(3))
    pictures[0].save(folder / "d.png", save_all=True, duration=80)
    outcomes = restore_folder(folder, out, Settings(strength=0))
    assert {outcome.state for outcome in outcomes} == {"restored"}, outcomes
    assert {o.name: o.target.name for o in outcomes} == {
        "a.png": "a.apng",
        "b.webp": "b.apng",
        "c.png": "c.png",
        "d.png": "d.png",
    }
    for name in ("a.apng", "b.apng"):
        with Image.open(out / name) as after:
            assert (after.n_frames, after.info["loop"]) == (3, 2)
    outcomes = restore_folder(folder, tmp_path / "mp4", Settings(strength=0, container="mp4"))
    assert {o.name: o.target.name for o in outcomes if o.name < "c"} == {"a.png": "a.mp4", "b.webp": "b.mp4"}


def test_a_video_with_the_suffix_of_a_picture_fails_with_advice(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    make_clip(folder / "a.mp4", Clip(frames=3)).rename(folder / "a.bmp")
    (outcome,) = restore_folder(folder, out, Settings(strength=0))
    assert outcome.state == "failed"
    assert outcome.message.endswith("a-%05d.bmp, or to a video such as " + str(out / "a.mkv"))
