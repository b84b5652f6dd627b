"""The printed command lines of ffmpeg around a pipe."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.support.clips import Clip, make_clip, packets_of, read_number
from vidrestore.cli import main
from vidrestore.errors import UsageError
from vidrestore.settings import make_settings
from vidrestore.video import ffmpeg_pipeline, probe, read_frames
from vidrestore.video.ffmpeg_command import _quote


def test_each_program_has_its_line_and_names_are_quoted(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "it's old.mp4", Clip(sounds=("aac",), pixel_format="yuv422p10le"))
    output = tmp_path / "new $film.mkv"
    text = ffmpeg_pipeline(source, output, make_settings(crf=12, overwrite=True), ["--strength", "0.5"])
    decode, restore, encode = (shlex.split(line) for line in text.split(" |\n"))
    assert decode[0] == encode[0] == "ffmpeg"
    assert decode[decode.index("-i") + 1] == str(source)
    assert decode[-1] == "pipe:" or "pipe:" in decode
    assert [decode[decode.index(f) + 1] for f in ("-f", "-vcodec", "-pix_fmt")] == [
        "nut",
        "rawvideo",
        "yuv422p10le",
    ]
    assert restore == ["vidrestore", "restore", "-", "-", "--strength", "0.5"]
    assert str(output) in encode
    assert str(source) in encode  # for its sound
    assert encode[encode.index("-vcodec") + 1] == "libx264"
    assert encode[encode.index("-crf") + 1] == "12"
    assert "-y" in encode


def test_the_command_prints_and_restores_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = make_clip(tmp_path / "in.mp4")
    line = [
        "restore",
        str(source),
        str(tmp_path / "o.mp4"),
        "--temporal",
        "0",
        "--codec",
        "hevc",
        "--deflicker",
    ]
    assert main([*line, "--print-ffmpeg"]) == 0
    printed = capsys.readouterr().out
    assert "vidrestore restore - - --temporal 0.0 --deflicker |" in printed
    assert "libx265" in printed
    assert list(tmp_path.iterdir()) == [source]


def test_a_pipe_has_no_name_to_print() -> None:
    with pytest.raises(UsageError, match="names of files"):
        ffmpeg_pipeline(Path("-"), Path("o.mp4"), make_settings(), [])


def test_start_and_end_are_refused_for_ffmpeg_command_lines(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "in.mp4")
    for cut in ({"start": 0.1}, {"end": 0.2}):
        with pytest.raises(UsageError, match="leave --start and --end out"):
            ffmpeg_pipeline(source, tmp_path / "o.mp4", make_settings(**cut), [])


@pytest.mark.parametrize("name", ["12:30.mp4", "-in.mp4", "12:30/in.mp4"])
def test_no_name_is_a_protocol_or_an_option_for_ffmpeg(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).parent.mkdir(exist_ok=True)
    make_clip(tmp_path / "in.mp4").rename(name)
    output = Path(name.replace("in", "out").replace(".mp4", ".mkv"))
    words = shlex.split(ffmpeg_pipeline(Path(name), output, make_settings(), []))
    assert f"file:{name}" in words
    assert f"file:{output}" in words
    assert not {name, str(output)} & set(words)


@pytest.mark.parametrize(("kind", "beside"), [(".mkv", ["1:1", "1:2", "1:3"]), (".mp4", ["1:1"])])
def test_only_streams_that_the_output_can_hold_are_copied_beside_the_pipe(
    tmp_path: Path, kind: str, beside: list[str]
) -> None:
    clip = Clip(sounds=("aac",), subtitles=True, attachment=b"font" * 40, time_base=Fraction(1, 1000))
    source = make_clip(tmp_path / "in.mkv", clip)
    encode = shlex.split(ffmpeg_pipeline(source, tmp_path / f"o{kind}", make_settings(), []))
    assert [word for at, word in enumerate(encode) if encode[at - 1] == "-map" and word[0] == "1"] == beside


LOOKS: dict[str, Any] = {"pixel_aspect": Fraction(16, 15), "colour": (9, 9, 16, 1)}


def _run(text: str) -> None:
    text = text.replace("vidrestore restore", f"{shlex.quote(sys.executable)} -m vidrestore restore")
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {text}"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs the ffmpeg program")
def test_the_lines_run_and_keep_times_sound_and_rotation(tmp_path: Path) -> None:
    times = (0, 40, 70, 120, 200, 240, 280, 333)
    clip = Clip(times=times, time_base=Fraction(1, 1000), sounds=("aac",), rotation=90, **LOOKS)
    source, output = make_clip(tmp_path / "in.mp4", clip), tmp_path / "out.mp4"
    _run(ffmpeg_pipeline(source, output, make_settings(), []))
    original, result = (list(read_frames(path, probe(path))) for path in (source, output))
    assert [f.pts * f.time_base for f in result] == [f.pts * f.time_base for f in original]
    assert [read_number(f.planes[0]) for f in result] == list(range(8))
    assert [p[2] for p in packets_of(output, "audio")[0]] == [p[2] for p in packets_of(source, "audio")[0]]
    info = probe(output)
    assert (info.rotation, info.pixel_aspect) == (90, LOOKS["pixel_aspect"])
    assert (info.colour.matrix, info.colour.primaries, info.colour.transfer) == (9, 9, 16)


@pytest.mark.skipif(shutil.which("bash") is None, reason="a shell that knows such quotes")
@pytest.mark.parametrize("word", ["plain", "a b", "it's", "a\x1b[2J\n'\\ é\u202e", os.fsdecode(b"caf\xe91")])
def test_a_name_controls_no_terminal_and_is_still_the_name(word: str) -> None:
    quoted = _quote(word)
    assert quoted.isprintable()
    done = subprocess.run(["bash", "-c", f"printf %s {quoted}"], capture_output=True, check=True)
    assert os.fsdecode(done.stdout) == word
