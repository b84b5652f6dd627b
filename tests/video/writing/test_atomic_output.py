"""Outputs that may not be written are refused before any work."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.user_files import USERS_OWN, snapshot
from vidrestore.errors import OutputError
from vidrestore.video import check_paths


@pytest.fixture
def video(tmp_path: Path) -> Path:
    (tmp_path / "in.mp4").write_bytes(b"video")
    return tmp_path / "in.mp4"


@pytest.mark.parametrize("name", ["o.mp4", "o.MP4", "o.mkv", "o.mov", "o.avi", "o.webm", "o.ts"])
def test_common_video_formats_are_accepted_as_output(video: Path, name: str) -> None:
    check_paths(video, video.with_name(name), overwrite=False)


@pytest.mark.parametrize(
    ("name", "expected_text"),
    [
        ("missing/out.mp4", "does not exist"),
        ("in.mp4", "is the input itself"),
        ("../{folder}/in.mp4", "is the input itself"),
        ("", "is a folder"),
        ("out", "does not say its kind"),
        ("out.xyz", "is not a kind of video"),
        ("out.wav", "is not a kind of video"),
        ("out.txt", "is not a kind of video"),
    ],
)
@pytest.mark.parametrize("overwrite", [False, True])
def test_each_impossible_output_is_reported(
    video: Path, name: str, expected_text: str, overwrite: bool
) -> None:
    output = video.parent / name.format(folder=video.parent.name)
    with pytest.raises(OutputError, match=expected_text):
        check_paths(video, output, overwrite)


@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to"])
def test_links_to_the_input_are_refused_as_output(video: Path, link: str) -> None:
    output = video.with_name("link.mp4")
    getattr(output, link)(video)
    with pytest.raises(OutputError, match="is the input itself"):
        check_paths(video, output, overwrite=True)


def test_an_existing_output_needs_overwrite(video: Path) -> None:
    output = video.with_name("out.mp4")
    output.write_bytes(b"other")
    with pytest.raises(OutputError, match="--overwrite"):
        check_paths(video, output, overwrite=False)
    check_paths(video, output, overwrite=True)


@pytest.mark.parametrize(
    "kind", ["a link to a file", "a link to a folder", "a dangling link", "a FIFO", "a folder"]
)
@pytest.mark.parametrize("name", ["out.mp4", "%d.png"])
def test_only_a_regular_file_may_be_replaced(video: Path, kind: str, name: str) -> None:
    USERS_OWN[kind](video.with_name(name.replace("%d", "3")))
    before = snapshot(video.parent)
    with pytest.raises(OutputError, match=r"is a link|is a device or a pipe|is a folder"):
        check_paths(video, video.with_name(name), overwrite=True)
    assert snapshot(video.parent) == before


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="devices as POSIX has them")
@pytest.mark.parametrize("name", ["/dev/null", "/dev/stdout", "/dev/full"])
def test_devices_are_no_outputs(video: Path, name: str) -> None:
    with pytest.raises(OutputError, match=r"is a link|is a device or a pipe"):
        check_paths(video, Path(name), overwrite=True, container="mkv")


@pytest.mark.parametrize("length", [300, 5000])
def test_a_file_name_that_is_too_long_is_refused(video: Path, length: int) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        check_paths(video, video.with_name("y" * length + ".mp4"), overwrite=False)


@pytest.fixture
def shots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of pictures, in the working directory; `linked` is a link to it."""
    folder = tmp_path / "shots"
    folder.mkdir()
    for number in (9_999, 10_000, 10_001):
        (folder / f"{number:05}.png").write_bytes(b"picture %d" % number)
    (tmp_path / "linked").symlink_to(folder)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "10001.png").hardlink_to(folder / "10001.png")
    monkeypatch.chdir(tmp_path)
    return folder


SPELLINGS = [
    ("shots/%05d.png", "{here}/shots/%05d.png"),
    ("{here}/shots/%05d.png", "shots/%05d.png"),
    ("shots/%05d.png", "shots/../shots/%05d.png"),
    ("shots/%05d.png", "linked/%05d.png"),
    ("linked/%05d.png", "shots/%05d.png"),
    ("shots/%05d.png", "shots/%d.png"),
    ("shots/%05d.png", "shots/1%04d.png"),
    ("shots/%05d.png", "other/%05d.png"),
    ("shots/%05d.png", "{here}/shots/10000.png"),
    ("shots/%05d.png", "shots/../shots/10000.png"),
    ("shots/%05d.png", "linked/10000.png"),
    ("shots/%05d.png", "other/10001.png"),
    ("shots/10001.png", "{here}/linked/%05d.png"),
    ("shots/10001.png", "other/%d.png"),
]


@pytest.mark.parametrize(("source", "output"), SPELLINGS)
@pytest.mark.parametrize("overwrite", [False, True])
def test_no_picture_of_the_input_is_replaced_however_its_path_is_written(
    shots: Path, source: str, output: str, overwrite: bool
) -> None:
    given, wanted = (Path(name.format(here=shots.parent)) for name in (source, output))
    with pytest.raises(OutputError, match=r"is the input itself|is a picture of the (input|output)"):
        check_paths(given, wanted, overwrite)


def test_other_pictures_beside_the_input_may_be_replaced(shots: Path) -> None:
    (shots / "new-10000.png").write_bytes(b"an earlier result")
    check_paths(shots / "%05d.png", shots / "new-%05d.png", overwrite=True)
    check_paths(shots / "%05d.png", shots / "new-10000.png", overwrite=True)


@pytest.mark.parametrize("output", ["%05d.PNG", "10000.PNG"])
def test_no_picture_of_the_input_is_replaced_where_case_does_not_matter(
    shots: Path, output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stat = os.stat

    def any_case(path: Any, **how: Any) -> os.stat_result:
        try:
            return stat(path, **how)
        except FileNotFoundError:
            return stat(os.fspath(path).replace(".PNG", ".png"), **how)

    monkeypatch.setattr(os, "stat", any_case)
    monkeypatch.setattr(os, "lstat", lambda path, **how: any_case(path, follow_symlinks=False, **how))
    with pytest.raises(OutputError, match=r"is the input itself|is a picture of the input"):
        check_paths(shots / "%05d.png", shots / output, overwrite=True)
