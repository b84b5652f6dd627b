"""The command line: what is printed where, and which exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vidrestore import __version__, api, errors
from vidrestore.cli import main
from vidrestore.settings import Settings
from vidrestore.types import Progress, Report


class FakeRestore:
    """Stands for `vidrestore.api.restore`; keeps what it was called with."""

    def __init__(self) -> None:
        self.arguments: tuple[Any, ...] = ()
        self.values: dict[str, Any] = {}
        self.failure: BaseException | None = None
        self.warnings: tuple[str, ...] = ()
        self.lost = 1

    def __call__(self, *arguments: Any, on_progress: Any, **values: Any) -> Report:
        self.arguments, self.values = arguments, values
        if on_progress is not None:
            on_progress(Progress(frames=1, total=2, faces=1, seconds=0.1))
        if self.failure is not None:
            raise self.failure
        return Report(
            output=Path(arguments[1]),
            frames=150,
            frames_with_faces=120,
            faces=240,
            tracks=1,
            lost_frames=self.lost,
            seconds=30.0,
            seconds_by_stage={},
            warnings=self.warnings,
        )


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeRestore:
    monkeypatch.delenv("VIDRESTORE_DEBUG", raising=False)
    stand_in = FakeRestore()
    monkeypatch.setattr(api, "restore", stand_in)
    return stand_in


def test_flags_that_are_not_given_leave_the_values_of_the_configuration_file(fake: FakeRestore) -> None:
    assert main(["restore", "in.mp4", "out.mp4", "--strength", "0.5", "--config", "film.yaml"]) == 0
    assert fake.arguments == (Path("in.mp4"), Path("out.mp4"))
    stated = {name: value for name, value in fake.values.items() if value is not None}
    assert stated == {"strength": 0.5, "config": Path("film.yaml")}


def test_every_setting_has_its_flag(fake: FakeRestore) -> None:
    assert main(["restore", "in.mp4", "out.mp4"]) == 0
    assert set(fake.values) - {"config"} == set(Settings.model_fields)


def test_all_flags_are_passed_to_restore(fake: FakeRestore) -> None:
    line = (
        "restore a b --model daefr --detector retinaface_mobile0.25=w.pth --device cuda:1 --strength 0.5 "
        "--precision float32 --compile --hwaccel cuda --aligned "
        "--fidelity 0.3 --temporal 0 --grain 0.6 --deflicker --faces 0,2 --min-face 40 --batch 8 "
        "--codec libx265 --crf 14.5 --container mkv --fps 24000/1001 --input-format rawvideo "
        "--pixel-format yuv420p --size 64x48 --max-pixels 9000 --strict "
        "--preset slow --start 1:30 --end 95 --handles 12 --deinterlace bwdif --upscale 2 "
        "--compare side-by-side --mask m.mkv -y "
        "--segment 30 --workers 2 --engine ray --restart"
    )
    assert main(line.split()) == 0
    assert fake.values == {
        "config": None,
        "model": "daefr",
        "detector": "retinaface_mobile0.25=w.pth",
        "device": "cuda:1",
        "precision": "float32",
        "compile": True,
        "hwaccel": "cuda",
        "aligned": True,
        "strength": 0.5,
        "fidelity": "0.3",
        "temporal": 0.0,
        "grain": "0.6",
        "deflicker": True,
        "faces": "0,2",
        "sidecar": None,
        "min_face": 40,
        "batch": 8,
        "codec": "libx265",
        "crf": 14.5,
        "preset": "slow",
        "container": "mkv",
        "fps": "24000/1001",
        "input_format": "rawvideo",
        "pixel_format": "yuv420p",
        "size": "64x48",
        "max_pixels": 9000,
        "quality": None,
        "strict": True,
        "start": "1:30",
        "end": "95",
        "handles": 12,
        "deinterlace": "bwdif",
        "upscale": 2,
        "compare": "side-by-side",
        "mask": "m.mkv",
        "segment": 30.0,
        "workers": 2,
        "engine": "ray",
        "restart": True,
        "overwrite": True,
    }


def test_the_closing_line_says_what_was_done_and_where_it_is(
    fake: FakeRestore, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.warnings = ("a timecode track was left out",)
    assert main(["restore", "in.mp4", "out.mp4"]) == 0
    printed = capsys.readouterr()
    assert printed.out == (
        "150 frames, 240 faces of 1 track restored in 30.0 s (5.0 frames/s), "
        "1 frame lost, 1 warning: out.mp4\n"
    )
    assert printed.err == "vidrestore: warning: a timecode track was left out\n"


@pytest.mark.parametrize(("lost", "code"), [(0, 0), (1, 0), (2, 3)])
def test_damage_of_more_than_one_frame_in_a_hundred_has_its_own_exit_code(
    fake: FakeRestore, lost: int, code: int
) -> None:
    fake.lost = lost
    assert main(["restore", "in.mp4", "out.mp4"]) == code


def test_messages_go_to_stderr_when_the_video_goes_to_stdout(
    fake: FakeRestore, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.warnings = ("a timecode track was left out",)
    assert main(["restore", "-", "-"]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "150 frames" in printed.err


def test_quiet_prints_nothing(fake: FakeRestore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["restore", "in.mp4", "out.mp4", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (errors.InputError("in.mp4 is not a video"), 2),
        (errors.OutputError("out.mp4 exists; use --overwrite"), 2),
        (errors.DeviceError("no GPU"), 2),
        (errors.DownloadError("no network"), 1),
        (errors.ProcessingError("the disk is full"), 1),
    ],
)
def test_a_user_error_is_printed_as_one_line(
    failure: errors.VidrestoreError, code: int, fake: FakeRestore, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.failure = failure
    assert main(["restore", "in.mp4", "out.mp4"]) == code
    assert capsys.readouterr().err == f"vidrestore: error: {failure}\n"


def test_an_interrupt_ends_with_130(fake: FakeRestore, capsys: pytest.CaptureFixture[str]) -> None:
    fake.failure = KeyboardInterrupt()
    assert main(["restore", "in.mp4", "out.mp4"]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_a_defect_says_how_to_report_it_without_a_traceback(
    fake: FakeRestore, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.failure = KeyError("planes")
    fake.failure.add_note("frame 12 of in.mp4")
    assert main(["restore", "in.mp4", "out.mp4"]) == 1
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert "KeyError: 'planes' (frame 12 of in.mp4)" in printed
    assert "--debug" in printed


@pytest.mark.parametrize("by", ["flag", "environment"])
def test_debug_mode_prints_the_traceback_of_an_error(
    by: str, fake: FakeRestore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.failure = KeyError("planes")
    words = ["restore", "in.mp4", "out.mp4"]
    if by == "flag":
        words.append("--debug")
    else:
        monkeypatch.setenv("VIDRESTORE_DEBUG", "1")
    assert main(words) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("restore", "missing argument"),
        ("restore a b --strength much", "--strength"),
        ("restore a b --sharpen 3", "no such option: --sharpen"),
        ("restaure a b", "no such command"),
        ("models pull gfpgan", "there are no weights called 'gfpgan'"),
        ("train everything --config x.yaml", "no such command 'everything'"),
        ("train codebook", "--config"),
        ("train codebook --config x.yaml fast", "'fast' is not KEY=VALUE"),
    ],
)
def test_wrong_usage_prints_one_error_line_and_exits_with_2(
    line: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line.split()) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("vidrestore: error: ")
    assert printed.err.count("\n") == 1
    assert says in printed.err


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ("--strength 3", "strength"),
        ("--compare above", "compare"),
        ("--start 2 --end 1", "must be after start"),
        ("--start soon", "HH:MM:SS.mmm"),
        ("--config absent.yaml", "absent.yaml"),
    ],
)
def test_settings_are_checked_before_anything_is_opened(
    flags: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["restore", "absent.mp4", "out.mp4", *flags.split()]) == 2
    printed = capsys.readouterr().err
    assert says in printed
    assert printed.count("\n") == 1


def test_the_version_is_the_package_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"vidrestore {__version__}\n"
