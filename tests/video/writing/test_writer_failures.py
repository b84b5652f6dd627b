"""What a writer leaves behind when something fails: one error message, and no broken file."""

from __future__ import annotations

import errno
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import pytest

from tests.support.clips import Clip, make_clip
from tests.support.rewriting import rewrite
from vidrestore.errors import InputError, OutputError, ProcessingError, UsageError
from vidrestore.video import VideoWriter, probe, read_frames
from vidrestore.video.writing.stream_copy import StreamCopy


@pytest.mark.parametrize(
    ("how", "expected_text"),
    [
        ({"codec": "libx265000"}, "there is no encoder"),
        ({"codec": "aac"}, "encodes audio"),
        ({"preset": "ludicrous"}, "preset ludicrous"),
        ({"codec": "ffv1", "crf": 20.0}, "no crf"),
        ({"codec": "ffv1", "preset": "fast"}, "no presets"),
    ],
)
def test_invalid_encoder_names_and_options_are_refused(
    tmp_path: Path, how: dict[str, Any], expected_text: str
) -> None:
    source, output = make_clip(tmp_path / "clip.mp4"), tmp_path / "output.mkv"
    with pytest.raises(UsageError, match=expected_text):
        rewrite(source, output, **how)
    assert list(tmp_path.iterdir()) == [source]


def test_a_part_without_frames_leaves_no_file(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "clip.mp4")
    with pytest.raises(InputError, match="has no frame between --start and --end"):
        rewrite(source, tmp_path / "output.mp4", start=50.0)
    assert list(tmp_path.iterdir()) == [source]


def test_a_container_that_cannot_hold_the_codec_is_reported(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "clip.mp4")
    with pytest.raises(OutputError, match=r"\.webm files cannot hold libx264"):
        rewrite(source, tmp_path / "output.webm")
    assert list(tmp_path.iterdir()) == [source]


def test_an_error_during_writing_leaves_no_file_and_reaches_the_caller(tmp_path: Path) -> None:
    source, output = make_clip(tmp_path / "clip.mp4", Clip(sounds=("aac",))), tmp_path / "output.mp4"
    info = probe(source)
    with pytest.raises(RuntimeError, match="network"), VideoWriter(output, info) as writer:  # noqa: PT012
        writer.write(next(iter(read_frames(source, info))))
        raise RuntimeError("the network failed")
    assert list(tmp_path.iterdir()) == [source]


def test_an_existing_output_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    source, output = make_clip(tmp_path / "clip.mp4"), tmp_path / "output.mp4"
    output.write_bytes(b"old")
    info = probe(source)
    with VideoWriter(output, info, overwrite=True) as writer:
        for frame in read_frames(source, info):
            writer.write(frame)
        assert output.read_bytes() == b"old"
    assert probe(output).frame_count == 30
    assert sorted(tmp_path.iterdir()) == [source, output]


def test_a_failed_write_is_an_output_error_and_leaves_no_file(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "clip.mp4", Clip(frames=100))
    script = f"""
import resource
from pathlib import Path
from vidrestore.errors import InputError, OutputError
from vidrestore.video import VideoWriter, probe, read_frames
source = Path({str(source)!r})
info = probe(source)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    with VideoWriter(source.with_name("output.mkv"), info, codec="ffv1") as writer:
        for frame in read_frames(source, info):
            writer.write(frame)
except OutputError as error:
    raise SystemExit(0 if "cannot write" in str(error) else 3)
raise SystemExit(4)
"""
    if sys.platform == "win32":
        pytest.skip("file sizes cannot be limited here")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == [source]


def test_a_failing_encoder_is_a_processing_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make_clip(tmp_path / "clip.mp4")

    def fail(*_: object) -> None:
        raise av.FFmpegError(errno.EINVAL, "out of luck")

    monkeypatch.setattr(StreamCopy, "advance", fail)
    with pytest.raises(ProcessingError, match=r"libx264 failed"):
        rewrite(source, tmp_path / "output.mp4")
    assert list(tmp_path.iterdir()) == [source]


def test_a_frame_of_another_size_is_a_mistake_of_the_caller(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "clip.mp4")
    info = probe(source)
    frame = next(iter(read_frames(source, info)))
    cropped = replace(frame, planes=tuple(plane[:-2] for plane in frame.planes))
    with pytest.raises(ValueError, match="expected"), VideoWriter(tmp_path / "o.mp4", info) as writer:
        writer.write(cropped)
