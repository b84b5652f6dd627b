"""The installed command, from another folder, on real files: what a new user types and gets."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import av
import pytest

from tests.support.clips import Clip, make_clip, packets_of, truncate
from tests.support.shared import ROOT

pytestmark = pytest.mark.slow

SAMPLE = ROOT / "samples" / "old_film.mp4"


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


def vidrestore(*arguments: str | Path, folder: Path) -> Ended:
    """Run the console script in `folder`; the module where the package is not installed."""
    script = shutil.which("vidrestore", path=sysconfig.get_path("scripts"))
    command = [script] if script else [sys.executable, "-m", "vidrestore"]
    environment = None if script else {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [*command, *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def frame_times(path: Path) -> list[int]:
    with av.open(str(path)) as container:
        return [frame.pts for frame in container.decode(video=0)]


@pytest.fixture(scope="module")
def restored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ended]:
    folder = tmp_path_factory.mktemp("restored")
    ended = vidrestore("restore", SAMPLE, "restored.mp4", folder=folder)
    return folder / "restored.mp4", ended


def test_the_sample_comes_back_whole_with_its_sound(restored: tuple[Path, Ended]) -> None:
    path, ended = restored
    assert ended.code == 0, ended.err
    assert frame_times(path) == frame_times(SAMPLE)
    assert packets_of(path, "audio") == packets_of(SAMPLE, "audio")
    with av.open(str(path)) as after, av.open(str(SAMPLE)) as before:
        for name in ("width", "height", "average_rate", "time_base"):
            assert getattr(after.streams.video[0], name) == getattr(before.streams.video[0], name)


def test_the_closing_line_says_what_was_done_and_where_it_is(restored: tuple[Path, Ended]) -> None:
    path, ended = restored
    line = ended.out.strip().splitlines()[-1]
    assert "150 frames" in line
    assert "faces" in line
    assert path.name in ended.out
    assert "Traceback" not in ended.err


def test_no_temporary_file_is_left(restored: tuple[Path, Ended]) -> None:
    path, _ = restored
    assert [p.name for p in path.parent.iterdir()] == ["restored.mp4"]


def test_a_part_with_both_pictures_side_by_side(tmp_path: Path) -> None:
    ended = vidrestore(
        "restore", SAMPLE, "c.mkv", "--start", "1", "--end", "00:00:01.5", "--compare", "side-by-side",
        folder=tmp_path,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    with av.open(str(tmp_path / "c.mkv")) as container:
        frames = list(container.decode(video=0))
    assert frames[0].width == 2 * 640
    assert len(frames) == 12


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: None, "in.mp4"),
        (lambda p: p.mkdir(), "folder"),
        (lambda p: p.write_bytes(b""), "empty"),
        (lambda p: p.write_text("These are words, not pictures.\n" * 20), "in.mp4"),
        (lambda p: make_sound_only(p), "in.mp4"),
        (lambda p: truncate(make_clip(p), 0.5), "in.mp4"),
    ],
    ids=["missing", "a folder", "empty", "text", "sound only", "cut before its index"],
)
def test_an_input_that_is_no_video_gives_one_error_message(tmp_path: Path, make, message: str) -> None:  # type: ignore[no-untyped-def]
    make(tmp_path / "in.mp4")
    ended = vidrestore("restore", "in.mp4", "out.mp4", folder=tmp_path)
    refused(ended, message)
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["in.mp4", "nowhere/out.mp4"], "nowhere does not exist"),
        (["in.mp4", "in.mp4", "--overwrite"], "input itself"),
        (["in.mp4", "there.mp4"], "exists already"),
        (["in.mp4", "out.mp4", "--device", "cuda:9"], "NVIDIA GPU"),
        (["in.mp4", "out.mp4", "--model", "other.ckpt"], "other.ckpt"),
        (["in.mp4", "out.mp4", "--strength", "3"], "strength"),
        (["in.mp4", "out.mp4", "--codec", "libnothing"], "libnothing"),
        (["in.mp4", "out.mp4", "--detector", "nobody"], "nobody"),
    ],
)
def test_an_impossible_request_gives_one_error_message(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    import torch

    if "NVIDIA" in message and torch.cuda.device_count() > 9:
        pytest.skip("this machine has a tenth GPU")
    make_clip(tmp_path / "in.mp4", Clip(frames=5))
    (tmp_path / "there.mp4").write_bytes(b"mine")
    torch.save({"layer1.0.weight": torch.zeros(3)}, tmp_path / "other.ckpt")
    before = (tmp_path / "in.mp4").read_bytes()
    refused(vidrestore("restore", *arguments, folder=tmp_path), message)
    assert (tmp_path / "in.mp4").read_bytes() == before
    assert (tmp_path / "there.mp4").read_bytes() == b"mine"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.mp4", "other.ckpt", "there.mp4"]


def test_a_cut_off_video_is_restored_as_far_as_it_goes_and_says_how_much_is_lost(tmp_path: Path) -> None:
    clip = Clip(frames=60, sounds=("aac",), container_options={"movflags": "faststart"})
    truncate(make_clip(tmp_path / "in.mp4", clip), 0.6)
    ended = vidrestore("restore", "in.mp4", "out.mp4", folder=tmp_path)
    assert ended.code == 3, ended.err  # more than one frame in a hundred
    kept = len(frame_times(tmp_path / "out.mp4"))
    assert 10 < kept < 60
    missing = re.search(r"(\d+) of 60 frames are missing at the end: the input was cut short", ended.err)
    assert missing is not None, ended.err
    assert int(missing[1]) == 60 - kept


def refused(ended: Ended, message: str) -> None:
    assert ended.code == 2, ended.err
    lines = ended.err.strip().splitlines()
    assert len(lines) == 1, ended.err
    assert lines[0].startswith("vidrestore: error: ")
    assert message in lines[0]


def make_sound_only(path: Path) -> None:
    import numpy as np

    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
