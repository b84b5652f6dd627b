"""Videos, pictures and folders are degraded; sound and timing stay."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support.clips import Clip, make_clip, packets_of
from tests.support.footage import face_pictures
from vidrestore.cli import main
from vidrestore.degradation.degrade import degrade_path
from vidrestore.errors import InputError, OutputError, UsageError
from vidrestore.settings import Settings
from vidrestore.types import Frame
from vidrestore.video import probe, read_frames

LOSSLESS = Settings(codec="ffv1")


def frames_of(path: Path) -> list[Frame]:
    return list(read_frames(path, probe(path)))


def test_a_video_keeps_its_sound_its_times_and_its_format(tmp_path: Path) -> None:
    times = (*range(0, 12000, 1000), 13500, 16000)
    clip = Clip(
        frames=len(times), times=times, sounds=("aac",), pixel_format="yuv422p10le", start=Fraction(0)
    )
    source = make_clip(tmp_path / "clean.mkv", clip)
    target = tmp_path / "old.mkv"
    assert degrade_path(source, target, "tape", seed=4, settings=LOSSLESS) == len(times)
    before, after = frames_of(source), frames_of(target)
    assert [frame.seconds for frame in after] == pytest.approx([frame.seconds for frame in before], abs=0.001)
    assert after[0].format == before[0].format
    assert [packet[2] for packet in packets_of(target, "audio")[0]] == [
        packet[2] for packet in packets_of(source, "audio")[0]
    ]
    assert np.abs(after[3].planes[0].astype(int) - before[3].planes[0]).mean() > 4


def test_the_same_seed_gives_the_same_frames_in_any_container(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "clean.mp4", Clip(frames=6))
    for name, seed in (("a.mkv", 1), ("b.avi", 1), ("c.mkv", 2)):
        degrade_path(source, tmp_path / name, "film", seed=seed, settings=LOSSLESS)
    names = ("a.mkv", "b.avi", "c.mkv")
    first, same, other = ([frame.planes[0] for frame in frames_of(tmp_path / name)] for name in names)
    assert all(np.array_equal(a, b) for a, b in zip(first, same, strict=True))
    assert not np.array_equal(first[0], other[0])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.png", "more/b.jpg"):
        path = tmp_path / "faces" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), face_pictures(1)[0][..., ::-1])
    return tmp_path / "faces"


def test_a_folder_keeps_its_names_and_each_picture_has_its_own_damage(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "degraded"
    assert degrade_path(folder, target, "paper", seed=1) == 2
    found = sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file())
    assert found == ["a.png", "more/b.png"]
    first, second = (cv2.imread(str(target / name)) for name in found)
    assert first is not None
    assert second is not None
    assert first.shape == face_pictures(1)[0].shape
    assert not np.array_equal(first, second)


def test_an_invalid_recipe_input_or_output_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no recipe 'sepia'"):
        degrade_path(folder, tmp_path / "out", "sepia")  # type: ignore[arg-type]
    with pytest.raises(OutputError, match="lies in the input's folder"):
        degrade_path(folder, folder / "out", "film")
    with pytest.raises(OutputError, match="is a file"):
        degrade_path(folder, _file(tmp_path / "file.png"), "film")
    with pytest.raises(InputError, match="there are no pictures"):
        degrade_path(_folder(tmp_path / "empty"), tmp_path / "out", "film")
    (folder / "a.jpg").write_bytes((folder / "more" / "b.jpg").read_bytes())
    with pytest.raises(InputError, match="two pictures of"):
        degrade_path(folder, tmp_path / "out", "film")


def test_the_command_writes_the_copy_and_never_over_its_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = make_clip(tmp_path / "clean.mp4", Clip(frames=4))
    before = source.read_bytes()
    words = ["degrade", str(source), str(tmp_path / "old.mp4"), "--recipe", "broadcast", "--seed", "3", "-q"]
    assert main(words) == 0
    assert len(frames_of(tmp_path / "old.mp4")) == 4
    assert main(words) == 2, "it is there already"
    assert main([*words, "-y"]) == 0
    assert main(["degrade", str(source), str(source), "--recipe", "film"]) == 2
    assert main(["degrade", str(source), str(tmp_path / "x.mp4"), "--recipe", "sepia"]) == 2
    assert main(["degrade", str(tmp_path / "none.mp4"), str(tmp_path / "x.mp4"), "--recipe", "film"]) == 2
    assert source.read_bytes() == before
    assert "Traceback" not in capsys.readouterr().err


def _file(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
