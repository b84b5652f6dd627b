"""An input that is replaced or rewritten during a run: one error message, and no output of two inputs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vidrestore
from tests.support.clips import Clip, make_clip
from tests.support.films import make_film
from tests.support.jobs import names_in
from tests.support.photos import save, smooth
from vidrestore.cli import main
from vidrestore.degradation.degrade import degrade_path
from vidrestore.errors import InputError
from vidrestore.types import Progress
from vidrestore.video import describe_input, open_input, probe, read_frames, sound_digests
from vidrestore.video.exr import exr_file

CHANGED = "was changed or replaced while it was read"
Change = Callable[[Path], None]


def _replace(path: Path) -> None:
    other = path.with_name(f"other{path.suffix}")
    shutil.copy(path, other)
    other.replace(path)


def _replace_with_the_same_times(path: Path) -> None:
    """By a file of the same size and time, with other content."""
    status = path.stat()
    other = path.with_name(f"other{path.suffix}")
    other.write_bytes(bytes(byte ^ 1 for byte in path.read_bytes()))
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)


def _rewrite(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content)
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1_000_000))  # also where a clock is coarse


def _append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(bytes(100))


CHANGES: dict[str, Change] = {
    "replaced": _replace,
    "replaced by one of the same size and time": _replace_with_the_same_times,
    "rewritten": _rewrite,
    "longer": _append,
}


def _once(change: Change, path: Path, *, at: int = 1) -> Callable[[Progress], None]:
    """A callback that changes the file when so many frames are written."""
    done: list[bool] = []

    def on_progress(progress: Progress) -> None:
        if progress.frames >= at and not done:
            done.append(True)
            change(path)

    return on_progress


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changes_after_it_was_described_is_refused(tmp_path: Path, change: str) -> None:
    path = make_clip(tmp_path / "in.mkv", Clip(frames=3))
    given = describe_input(path)
    given.check_unchanged()
    CHANGES[change](path)
    with pytest.raises(InputError, match=CHANGED):
        given.check_unchanged()


def test_the_same_file_under_another_number_is_the_same(tmp_path: Path) -> None:
    """Some file systems give a file another number later: FAT, and drives over a network."""
    path = make_clip(tmp_path / "in.mkv", Clip(frames=3))
    given, status = describe_input(path), path.stat()
    other = tmp_path / "other.mkv"
    shutil.copyfile(path, other)
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(path)
    assert path.stat().st_ino != status.st_ino
    given.check_unchanged()


def test_a_file_that_is_removed_after_it_was_read_is_no_error(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "in.mkv", Clip(frames=3))
    given = describe_input(path)
    path.unlink()
    given.check_unchanged()


def test_a_change_of_any_picture_of_a_sequence_is_noticed(tmp_path: Path) -> None:
    for number in range(3):
        save(tmp_path / f"in{number}.png", smooth(3))
    given = describe_input(tmp_path / "in%d.png")
    given.check_unchanged()
    _rewrite(tmp_path / "in1.png")
    with pytest.raises(InputError, match=CHANGED):
        given.check_unchanged()


@pytest.mark.parametrize("change", ["replaced", "rewritten"])
@pytest.mark.parametrize(
    "read", [probe, sound_digests, lambda given: list(read_frames(given, probe(given.path)))]
)
def test_a_changed_input_is_refused_each_time_it_is_opened(
    tmp_path: Path, change: str, read: Callable[[Any], object]
) -> None:
    path = make_clip(tmp_path / "in.mkv", Clip(frames=3, sounds=("aac",)))
    given = open_input(path)
    CHANGES[change](path)
    with pytest.raises(InputError, match=CHANGED):
        read(given)


def test_a_change_of_the_input_is_noticed_while_frames_are_read(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "in.mkv", Clip(frames=250))
    given, read = open_input(path), []

    def read_all() -> None:
        for frame in read_frames(given, probe(given)):
            read.append(frame.index)
            if frame.index == 10:
                _append(path)

    with pytest.raises(InputError, match=CHANGED):
        read_all()
    assert len(read) < 200


def test_no_video_is_written_if_the_input_changes(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "in.mkv", Clip(frames=6, sounds=("aac",)))
    _assert_refused(path, tmp_path / "out.mkv", mask=str(tmp_path / "mask.mkv"))


def test_no_image_sequence_is_written_if_the_input_changes(tmp_path: Path) -> None:
    for number in range(4):
        save(tmp_path / f"in{number}.png", smooth(3))
    before = names_in(tmp_path)
    with pytest.raises(InputError, match=CHANGED):
        vidrestore.restore(
            tmp_path / "in%d.png", tmp_path / "out%d.png", on_progress=_once(_rewrite, tmp_path / "in0.png")
        )
    assert names_in(tmp_path) == before


@pytest.mark.parametrize("name", ["in.jpg", "in.png", "in.heic", "in.webp", "in.tif"])
def test_no_photo_is_written_if_the_input_changes(tmp_path: Path, name: str) -> None:
    path = save(tmp_path / name, smooth(3))
    _assert_refused(path, tmp_path / f"out{path.suffix}")


def test_no_exr_is_written_if_the_input_changes(tmp_path: Path) -> None:
    path = tmp_path / "in.exr"
    exr_file.save(path, np.full((32, 48, 3), 0.5, np.float32), half=True)
    _assert_refused(path, tmp_path / "out.exr")


def test_segments_of_a_changed_input_are_not_joined_and_need_a_restart(tmp_path: Path) -> None:
    path, output = make_film(tmp_path / "in.mkv", 60, ()), tmp_path / "out.mkv"
    with pytest.raises(InputError, match="changed while it was read; run the command again with --restart"):
        vidrestore.restore(path, output, on_progress=_once(_rewrite, path, at=40), codec="ffv1", segment=1)
    assert not output.exists()
    assert vidrestore.restore(path, output, codec="ffv1", segment=1, restart=True).frames == 60


def test_a_change_of_the_input_is_noticed_while_segments_are_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, output = make_film(tmp_path / "in.mkv", 60, ()), tmp_path / "out.mkv"
    join = vidrestore.jobs.segmented_restore.video.join_segments

    def joining(*args: Any) -> None:
        join(*args)
        _rewrite(path)

    monkeypatch.setattr("vidrestore.jobs.segmented_restore.video.join_segments", joining)
    with pytest.raises(InputError, match="changed while it was read; run the command again with --restart"):
        vidrestore.restore(path, output, codec="ffv1", segment=1)
    assert not output.exists()


def test_no_degraded_copy_is_written_if_the_input_changes(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "in.mkv", Clip(frames=6))
    with pytest.raises(InputError, match=CHANGED):
        degrade_path(path, tmp_path / "out.mkv", "film", on_progress=_once(_rewrite, path))
    assert names_in(tmp_path) == ["in.mkv"]


def test_an_inspection_fails_if_the_input_changes(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "in.mkv", Clip(frames=60))
    with pytest.raises(InputError, match=CHANGED):
        vidrestore.inspect(path, on_progress=_once(_rewrite, path))


def test_people_that_were_chosen_in_another_video_are_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_clip(tmp_path / "in.mkv", Clip(frames=6))
    inspect = vidrestore.jobs.people.inspect_video

    def inspecting(*args: Any) -> Any:
        found = inspect(*args)
        _rewrite(path)
        return found

    monkeypatch.setattr("vidrestore.jobs.people.inspect_video", inspecting)
    for call in (
        lambda: vidrestore.restore(path, tmp_path / "out.mkv", faces="within:0,0,1,1"),
        lambda: vidrestore.preview(path, [0.0], faces="within:0,0,1,1"),
    ):
        with pytest.raises(InputError, match=CHANGED):
            call()
    assert names_in(tmp_path) == ["in.mkv"]


def test_batch_fails_for_that_file_and_restores_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    path = make_clip(folder / "a.mkv", Clip(frames=4))
    make_clip(folder / "b.mkv", Clip(frames=4))
    write = vidrestore.video.VideoWriter.write

    def writing(self: Any, frame: Any) -> None:
        write(self, frame)
        if self._source.path.name == "a.mkv" and frame.index == 0:
            _rewrite(path)

    monkeypatch.setattr(vidrestore.video.VideoWriter, "write", writing)
    assert main(["batch", str(folder), str(tmp_path / "out"), "--device", "cpu"]) == 1
    assert CHANGED in capsys.readouterr().err
    assert [name for name in names_in(tmp_path / "out") if not name.startswith(".")] == ["b.mkv"]


def _assert_refused(path: Path, output: Path, **settings: Any) -> None:
    """In one go; the file changes after the first frame was written."""
    before = names_in(path.parent)
    with pytest.raises(InputError, match=CHANGED):
        vidrestore.restore(path, output, on_progress=_once(_rewrite, path), **settings)
    assert names_in(path.parent) == before
