"""Names as file systems allow them: long, no Unicode, with signs that mean something elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import vidrestore
from tests.support.clips import Clip, make_clip
from tests.support.damage import zero_packets
from tests.support.films import make_film
from tests.support.jobs import ENVIRONMENT, SEGMENTS, command, names_in
from vidrestore.cli import main
from vidrestore.errors import DamagedInputError, InputError, OutputError, UsageError

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="names and folders as Linux has them")
NAMES = {
    "long": "y" * 246 + ".mkv",
    "long and of many bytes": "映" * 83 + ".mkv",
    "no Unicode": os.fsdecode(b"caf\xe9.mkv"),
    "signs": "a b%20'\"`$(x);&|<>*?[]{}!#~^\\ \n\t\x1b[2J.mkv",
    "a dash": "-out.mkv",
    "a percent sign": "100%.mkv",
    "a protocol": "concat:a|b.mkv",
}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_film(tmp_path_factory.mktemp("input") / "in.mkv", 40, ())


@linux_only
@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("how", [{"codec": "ffv1"}, SEGMENTS], ids=["without segments", "segments"])
def test_an_output_may_have_any_name_that_the_file_system_allows(
    source: Path, tmp_path: Path, kind: str, how: dict[str, Any]
) -> None:
    output = tmp_path / NAMES[kind]
    original = tmp_path / f"i{NAMES[kind][1:]}"
    original.hardlink_to(source)
    assert vidrestore.restore(original, output, **how).frames == 40
    assert set(names_in(tmp_path)) == {output.name, original.name}
    assert output.stat().st_size > 1000


@linux_only
@pytest.mark.parametrize("folder", [os.fsdecode(b"f\xf6"), "100%d", "a\nb"])
def test_an_output_may_be_in_a_folder_with_any_name(source: Path, tmp_path: Path, folder: str) -> None:
    place = tmp_path / folder
    place.mkdir()
    assert vidrestore.restore(source, place / "out.mkv", **SEGMENTS).frames == 40
    assert names_in(place) == ["out.mkv"]


@pytest.mark.parametrize("length", [300, 5000])
def test_a_file_name_that_is_too_long_prints_one_error_line(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], length: int
) -> None:
    long = str(tmp_path / ("y" * length + ".mkv"))
    for words in (
        ["restore", long, str(tmp_path / "out.mkv")],
        ["restore", str(source), long],
        ["restore", str(source), long, "--segment", "1"],
        ["restore", str(source), str(tmp_path / "out.mkv"), "--model", long],
        ["restore", str(source), str(tmp_path / "out.mkv"), "--detector", f"retinaface_resnet50={long}"],
        ["restore", str(source), str(tmp_path / "out.mkv"), "--config", long],
        ["resume", long],
        ["inspect", long],
        ["inspect", str(source), "--json", long],
        ["batch", long, str(tmp_path / "out")],
        ["batch", str(source.parent), long],
        ["models", "convert", long, str(tmp_path / "w.safetensors")],
    ):
        assert main(words) == 2, words[0]
        err = capsys.readouterr().err
        assert err.count("\n") == 1
        assert "defect" not in err
    assert names_in(tmp_path) == []


@linux_only
def test_a_missing_working_directory_prints_one_error_line(tmp_path: Path) -> None:
    line = 'mkdir gone; cd gone && rmdir ../gone && exec "$@"'
    for words in (["restore", tmp_path / "in.mkv", tmp_path / "out.mkv"], ["batch", "in", "out"]):
        done = subprocess.run(
            ["sh", "-c", line, "sh", *command(*words)],
            cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 2
        assert (
            done.stderr
            == "vidrestore: error: the working directory does not exist any more; change to another one\n"
        )


def test_a_missing_working_directory_is_an_error_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> str:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(os, "getcwd", gone)
    with pytest.raises(UsageError, match="working directory, which is gone"):
        vidrestore.resume("out.mkv")


def test_strict_leaves_no_files_of_a_damaged_video(tmp_path: Path) -> None:
    original = make_clip(tmp_path / "in.mkv", Clip(frames=110, gop=12))
    zero_packets(original, [75, 76])
    with pytest.raises(DamagedInputError, match="leave out --strict"):
        vidrestore.restore(original, tmp_path / "out.mkv", **SEGMENTS, strict=True)
    assert names_in(tmp_path) == ["in.mkv"]


def test_a_run_that_fails_before_its_first_segment_leaves_no_files(source: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no frames after"):
        vidrestore.restore(source, tmp_path / "out.mkv", **SEGMENTS, start=1000.0)
    with pytest.raises(OutputError):
        vidrestore.restore(source, tmp_path / "none" / "out.mkv", **SEGMENTS)
    assert names_in(tmp_path) == []
