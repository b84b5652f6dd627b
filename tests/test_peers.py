"""Other restorers are called as they say, and what they leave is read back."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.peer_filters import FILTERS, filter_video
from benchmarks.peers import Outcome, Peer, built_in_peers, main, parse_peer, read_pictures, run, table
from tests.support.clips import Clip, make_clip, read_number
from vidrestore.errors import UsageError
from vidrestore.video import probe, read_frames

COPY_FOLDER = (
    "import pathlib, shutil, sys; out = pathlib.Path(sys.argv[2], 'restored'); out.mkdir(); "
    "[shutil.copy(p, out / f'{p.stem}_done.png') for p in pathlib.Path(sys.argv[1]).iterdir()]"
)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "clip.mkv", Clip(frames=6, codec="ffv1"))


def numbers(path: Path) -> list[int]:
    return [read_number(frame.planes[0]) for frame in read_frames(path, probe(path))]


def test_a_command_of_videos_is_run_and_measured(clip: Path, tmp_path: Path) -> None:
    program = "import shutil, sys; shutil.copy(sys.argv[1], sys.argv[2]); x = bytearray(50 * 2**20)"
    peer = Peer(name="copy", command=(sys.executable, "-c", program, "{input}", "{output}"))
    outcome = Outcome(peer="copy", clip=clip.name)
    run(peer, clip, tmp_path / "out.mkv", outcome)
    assert numbers(tmp_path / "out.mkv") == list(range(6))
    assert outcome.wall_seconds > 0
    assert 50 < outcome.peak_mib < 200, "this process, with torch in it, is larger"


def test_a_command_on_folders_reads_and_writes_pictures(clip: Path, tmp_path: Path) -> None:
    command = (sys.executable, "-c", COPY_FOLDER, "{input_folder}", "{output_folder}")
    peer = Peer(name="folder", command=command)
    run(peer, clip, tmp_path / "out.mkv", Outcome(peer="folder", clip=clip.name))
    assert numbers(tmp_path / "out.mkv") == list(range(6))


def test_the_folder_of_whole_frames_is_preferred_to_one_of_cropped_faces(clip: Path, tmp_path: Path) -> None:
    # GFPGAN and CodeFormer leave cropped faces beside the frames: with one face in each frame, as many.
    info = probe(clip)
    for name, side in (("cropped_faces", (16, 16)), ("restored_imgs", (info.height, info.width))):
        (tmp_path / "out" / name).mkdir(parents=True)
        for number in range(6):
            picture = np.full((*side, 3), 40 * number, np.uint8)
            cv2.imwrite(str(tmp_path / "out" / name / f"{number:05d}.png"), picture)
    read_pictures(tmp_path / "out", clip, tmp_path / "out.mkv")
    assert probe(tmp_path / "out.mkv").frame_count == 6


def test_a_command_that_fails_or_leaves_too_few_pictures_is_named(clip: Path, tmp_path: Path) -> None:
    failing = Peer(name="bad", command=(sys.executable, "-c", "raise SystemExit('no GPU here')", "{input}"))
    with pytest.raises(UsageError, match="exit code 1: no GPU here"):
        run(failing, clip, tmp_path / "out.mkv", Outcome(peer="bad", clip=clip.name))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no folder with 6 pictures"):
        read_pictures(tmp_path / "empty", clip, tmp_path / "out.mkv")


def test_a_peer_is_given_as_a_name_and_a_command_line() -> None:
    peer = parse_peer("mine=restore --to {output} '{input}'")
    assert (peer.name, peer.command) == ("mine", ("restore", "--to", "{output}", "{input}"))
    for text in ("mine", "=x {input} {output}", "mine=x {input}", "mine=x {input_folder}"):
        with pytest.raises(UsageError):
            parse_peer(text)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["none.mkv"], "none.mkv"),
        (["none.mkv", "--peer", "mine=x {input}"], "the command of mine lacks {output}"),
    ],
)
def test_an_invalid_clip_or_peer_exits_with_an_error_message(
    words: list[str], sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["peers", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


def test_the_peers_that_need_nothing_are_always_there() -> None:
    peers, missing = built_in_peers()
    assert {"vidrestore", "nlm", "bilateral"} <= {peer.name for peer in peers}
    assert "GFPGAN, CodeFormer" in missing


@pytest.mark.parametrize("name", ["nlm", "bilateral"])
def test_filters_smooth_noise_and_keep_every_frame(name: str, tmp_path: Path) -> None:
    source = make_clip(tmp_path / "clip.mkv", Clip(frames=3, codec="ffv1"))
    filter_video(FILTERS[name](), source, tmp_path / "out.mkv")
    assert numbers(tmp_path / "out.mkv") == [0, 1, 2]
    noisy = np.clip(np.random.default_rng(0).normal(128, 5, (48, 48, 3)), 0, 255).astype(np.uint8)
    assert FILTERS[name]()(noisy).std() < 0.9 * noisy.std()


def test_the_table_has_a_row_a_peer_and_the_reason_of_a_failure() -> None:
    good = Outcome(peer="nlm", clip="a", frames=10, wall_seconds=5, means={"face_psnr": 30.123})
    bad = Outcome(peer="x", clip="a", error="it ended")
    head, first, _, reason = table([good, bad])
    assert "PSNR, faces" in head
    assert "30.12" in first
    assert "0.50" in first
    assert reason == "a: x failed: it ended"
