"""Inspecting says what restoring would do, and writes nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

import vidrestore
from tests.support.motion import picture
from vidrestore import InputError, UsageError
from vidrestore.cli import main
from vidrestore.faces.alignment import template
from vidrestore.types import Detection, Frame


class Scripted:
    """A large face in every frame, and a small one in the first eight."""

    def detect(
        self, frame: Frame, *, search: str = "thorough", existing: Sequence[Detection] = ()
    ) -> tuple[Detection, ...]:
        faces = [face(36, 30, 40)]
        return tuple([*faces, face(80, 40, 26)] if frame.index < 8 else faces)

    def follow(self, frame: Frame, previous: Sequence[Detection]) -> tuple[Detection, ...]:
        return self.detect(frame)


def face(x: float, y: float, side: float) -> Detection:
    points = template(1) - template(1).mean(axis=0)
    return Detection(
        box=np.array([x - side / 2, y - side / 2, x + side / 2, y + side / 2], np.float32),
        landmarks=(points * 1.4 * side + [x, y]).astype(np.float32),
        score=0.9,
    )


@pytest.fixture(autouse=True)
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidrestore.detection.make_detector", lambda name, device, min_face: Scripted())


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Thirty frames of one still picture: one scene."""
    path = tmp_path / "clip.mp4"
    still = np.repeat(picture(0, (64, 96))[..., None], 3, axis=2)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for _ in range(30):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(still, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def test_tracks_are_listed_with_when_and_how_large_they_are(clip: Path) -> None:
    found = vidrestore.inspect(clip, device="cpu")
    assert (found.frames, found.frames_with_faces, len(found.scenes)) == (30, 30, 1)
    first, second = found.tracks
    assert (first.first_frame, first.last_frame, first.frames) == (0, 29, 30)
    assert first.side == pytest.approx((40, 40, 40), rel=0.05)
    assert (second.first_frame, second.last_frame) == (0, 7)
    assert second.end == pytest.approx(7 / 25)
    assert first.thumbnail.shape == (128, 128, 3)
    assert first.score == pytest.approx(0.9)


@pytest.mark.parametrize(("faces", "ids"), [("all", [0, 1]), ("largest", [0]), ("1", [1]), ("5", [])])
def test_the_faces_chosen_are_those_restored(clip: Path, faces: str, ids: list[int]) -> None:
    assert [track.id for track in vidrestore.inspect(clip, faces=faces).tracks] == ids


def test_an_invalid_choice_of_faces_is_refused(clip: Path) -> None:
    with pytest.raises(UsageError, match="faces must be all, largest"):
        vidrestore.inspect(clip, faces="everybody")


def test_the_command_prints_a_table_and_writes_json_and_a_page(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = ["--json", str(tmp_path / "found.json"), "--html", str(tmp_path / "found.html")]
    assert main(["inspect", str(clip), *files]) == 0
    printed = capsys.readouterr().out
    assert "faces in 30 of 30 frames" in printed
    values = json.loads((tmp_path / "found.json").read_text())
    assert [track["id"] for track in values["tracks"]] == [0, 1]
    page = (tmp_path / "found.html").read_text(encoding="utf-8")
    assert page.count("<img") == 2
    assert f"vidrestore restore {clip} " in page
    assert "--faces 0,1</code>" in page
    assert "http" not in page  # nothing is fetched


def test_no_frame_rate_is_reported_for_pictures_without_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for number in range(1, 4):
        assert cv2.imwrite(f"{number}.png", np.full((64, 96, 3), 90, np.uint8))
    words = ["inspect", "%d.png", "--json", "found.json", "--html", "found.html"]
    assert main(words) == 0
    printed, page = capsys.readouterr().out, Path("found.html").read_text(encoding="utf-8")
    assert "%d.png: 96 x 64, 3 frames, png" in printed
    assert "1 scene, starting at frame 0\n" in printed
    assert "96 &times; 64, 3 frames, png gbrp, 1 scene, faces in 3 frames" in page
    assert "frames/s" not in printed + page
    values = json.loads(Path("found.json").read_text())
    assert (values["frame_rate"], values["duration"], values["scenes"][0]["start"]) == (None, None, None)
    assert main(["inspect", "1.png"]) == 0
    assert "1.png: 96 x 64, 1 frame, png" in capsys.readouterr().out
    assert main([*words, "--fps", "10"]) == 0
    assert "3 frames, 10.000 frames/s, png" in capsys.readouterr().out
    assert json.loads(Path("found.json").read_text())["duration"] == pytest.approx(0.2)


def test_json_goes_to_stdout_alone_where_that_is_requested(
    clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", str(clip), "--json", "-", "--quiet"]) == 0
    assert json.loads(capsys.readouterr().out)["frames"] == 30


def test_an_unreadable_input_or_unwritable_report_gives_one_error_message(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match=r"none\.mp4"):
        vidrestore.inspect(tmp_path / "none.mp4")
    for flag, path in (("--html", tmp_path / "no" / "page.html"), ("--json", tmp_path), ("--html", clip)):
        before = clip.read_bytes()
        assert main(["inspect", str(clip), flag, str(path)]) == 2
        printed = capsys.readouterr()
        assert printed.err.startswith("vidrestore: error: ")
        assert printed.err.count("\n") == 1  # before the work: there is no progress yet
        assert clip.read_bytes() == before
