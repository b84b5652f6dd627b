"""Video through pipes: the same frames and times, with sound, and a clean end."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import vidrestore
from tests.support.clips import Clip, frame_times, make_clip, packets_of, read_number
from tests.support.standard_streams import stdin_of, stdout_into
from vidrestore.errors import InputError, OutputError, UsageError
from vidrestore.types import Frame
from vidrestore.video import probe, read_frames
from vidrestore.video.pipes import Pipe, StdoutFile

CLIP = Clip(frames=8, codec="ffv1", time_base=Fraction(1, 1000))
UNEVEN = Clip(
    times=(0, 40, 70, 120, 200, 240, 280, 333), codec="ffv1", time_base=Fraction(1, 1000), sounds=("flac",)
)


def piped(clip: Clip, kind: str, path: Path) -> bytes:
    """The clip, uncompressed in a container for pipes."""
    make_clip(path, clip)
    into = io.BytesIO()
    with av.open(str(path)) as original, av.open(into, "w", format=kind, options={"strict": "-1"}) as result:
        video: Any = result.add_stream("rawvideo", rate=clip.rate)
        video.width, video.height = clip.size
        video.pix_fmt = clip.pixel_format
        base = clip.time_base if kind == "nut" else 1 / clip.rate
        video.codec_context.time_base = base
        sounds = {
            s.index: result.add_stream_from_template(s) for s in original.streams.audio if kind == "nut"
        }
        for packet in original.demux():
            if packet.stream_index in sounds and packet.size:
                packet.stream = sounds[packet.stream_index]
                result.mux(packet)
            elif packet.stream.type == "video":
                for number, frame in enumerate(packet.decode()):
                    frame.pts = frame.pts if kind == "nut" else frame.pts // 40 + number
                    frame.time_base = base
                    result.mux(video.encode(frame))
        result.mux(video.encode(None))
    return into.getvalue()


def frames_of(path: Path) -> list[Frame]:
    return list(read_frames(path, probe(path)))


def seconds(frames: list[Frame]) -> list[Fraction]:
    return [frame.pts * frame.time_base for frame in frames]


@pytest.mark.parametrize("kind", ["yuv4mpegpipe", "nut"])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p10le", "gray"])
def test_frames_pass_through_two_pipes_unchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, pixel_format: str
) -> None:
    clip = Clip(frames=8, codec="ffv1", time_base=Fraction(1, 1000), pixel_format=pixel_format)
    content = piped(clip, kind, tmp_path / "clip.mkv")
    with stdin_of(content, monkeypatch), stdout_into(tmp_path / "out.nut", monkeypatch):
        report = vidrestore.restore("-", "-")
    assert (report.frames, report.warnings) == (8, ())
    original, result = frames_of(tmp_path / "clip.mkv"), frames_of(tmp_path / "out.nut")
    assert seconds(result) == seconds(original)
    for a, b in zip(original, result, strict=True):
        assert b.format == a.format
        for plane, expected in zip(b.planes, a.planes, strict=True):
            np.testing.assert_array_equal(plane, expected)


def test_nut_carries_uneven_times_and_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = piped(UNEVEN, "nut", tmp_path / "clip.mkv")
    (tmp_path / "in.nut").write_bytes(content)
    with stdin_of(content, monkeypatch), stdout_into(tmp_path / "out.nut", monkeypatch):
        assert vidrestore.restore("-", "-").warnings == ()
    result = frames_of(tmp_path / "out.nut")
    assert seconds(result) == seconds(frames_of(tmp_path / "in.nut"))
    assert [read_number(frame.planes[0]) for frame in result] == list(range(8))
    given_sound = packets_of(tmp_path / "in.nut", "audio")
    assert len(given_sound[0]) > 2
    assert packets_of(tmp_path / "out.nut", "audio") == given_sound


def test_a_pipe_becomes_a_file_with_its_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = piped(UNEVEN, "nut", tmp_path / "clip.mkv")
    with stdin_of(content, monkeypatch):
        vidrestore.restore("-", tmp_path / "out.mkv")
    info = probe(tmp_path / "out.mkv")
    assert (info.codec, info.other_streams) == ("ffv1", ("audio",))
    original = [frame for frame in frame_times(UNEVEN)]
    result = seconds(frames_of(tmp_path / "out.mkv"))
    assert [time - result[0] for time in result] == [Fraction(pts - original[0], 1000) for pts in original]


def test_a_start_time_works_with_a_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = piped(UNEVEN, "nut", tmp_path / "clip.mkv")
    with stdin_of(content, monkeypatch):
        vidrestore.restore("-", tmp_path / "out.mkv", start=0.1, end=0.3)
    assert [read_number(f.planes[0]) for f in frames_of(tmp_path / "out.mkv")] == [3, 4, 5, 6]


def test_raw_video_is_read_as_the_options_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = piped(CLIP, "rawvideo", tmp_path / "clip.mkv")
    how: dict[str, Any] = {"input_format": "rawvideo", "size": "96x64", "fps": "24000/1001"}
    with stdin_of(content, monkeypatch), stdout_into(tmp_path / "out.y4m", monkeypatch):
        vidrestore.restore("-", "-", container="y4m", pixel_format="yuv420p", **how)
    info = probe(tmp_path / "out.y4m")
    assert (info.frame_rate, info.width, info.height) == (Fraction(24000, 1001), 96, 64)
    assert [read_number(f.planes[0]) for f in frames_of(tmp_path / "out.y4m")] == list(range(8))
    with stdin_of(content, monkeypatch), stdout_into(tmp_path / "out.raw", monkeypatch):
        vidrestore.restore("-", "-", container="rawvideo", pixel_format="yuv420p", **how)
    assert (tmp_path / "out.raw").read_bytes() == content


def test_y4m_output_warns_of_lost_times_and_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make_clip(tmp_path / "clip.mkv", UNEVEN)
    with stdout_into(tmp_path / "out.y4m", monkeypatch):
        sound, times = vidrestore.restore(source, "-", container="y4m").warnings
    assert "audio stream 1" in sound
    assert "y4m cannot hold it" in sound
    assert "not constant" in times
    assert probe(tmp_path / "out.y4m").frame_rate == probe(source).frame_rate


@pytest.mark.parametrize(
    ("how", "expected_text"),
    [
        ({}, []),
        ({"colour": (6, 6, 6, 1)}, []),
        ({"colour": (9, 9, 16, 1)}, ["colour (matrix 9, primaries 9, transfer 16)"]),
        ({"pixel_aspect": Fraction(16, 15), "rotation": 90}, ["pixel aspect 16:15, the rotation by 90"]),
    ],
)
def test_properties_that_a_pipe_cannot_state_are_one_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: dict[str, Any], expected_text: list[str]
) -> None:
    source = make_clip(tmp_path / "in.mp4", Clip(frames=2, **how))
    with stdout_into(tmp_path / "out.nut", monkeypatch):
        warnings = vidrestore.restore(source, "-").warnings
    assert len(warnings) == len(expected_text)
    for warning, words in zip(warnings, expected_text, strict=True):
        assert words in warning


@pytest.mark.parametrize(
    ("content", "how", "error", "expected_text"),
    [
        (b"", {}, InputError, "no data came"),
        (b"these are words " * 1000, {}, InputError, "not a video"),
        (b"", {"input_format": "rawvideo"}, UsageError, "--pixel-format, --size and --fps"),
        (b"", {"size": "96x64"}, UsageError, "--input-format rawvideo"),
        (
            b"",
            {"input_format": "rawvideo", "pixel_format": "yuv", "size": "9x9", "fps": 25},
            UsageError,
            "no pixel format 'yuv'",
        ),
        (
            b"\0" * 500,
            {"input_format": "rawvideo", "pixel_format": "yuv420p", "size": "99x101", "fps": 25},
            InputError,
            "- is shorter than one frame of 99x101 yuv420p; check --size and --pixel-format",
        ),
        (b"", {"fps": 25}, UsageError, "states its own frame rate"),
        (b"", {"container": "mp4"}, UsageError, "cannot be written into a pipe"),
    ],
)
def test_invalid_pipe_inputs_and_options_are_reported(
    monkeypatch: pytest.MonkeyPatch,
    content: bytes,
    how: dict[str, Any],
    error: type[Exception],
    expected_text: str,
) -> None:
    with stdin_of(content, monkeypatch), pytest.raises(error, match=expected_text):
        vidrestore.restore("-", "-", **how)


def test_a_file_with_its_index_at_the_end_is_refused_as_a_pipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = Clip(frames=8, size=(320, 240), codec="rawvideo", time_base=Fraction(1, 25))
    content = make_clip(tmp_path / "in.mov", clip).read_bytes()
    assert content.index(b"mdat") < content.index(b"moov")
    with (
        stdin_of(content, monkeypatch),
        pytest.raises(InputError, match=r"no frame of - .* give the file's name"),
    ):
        vidrestore.restore("-", tmp_path / "out.mkv")


def test_the_start_of_a_pipe_can_be_read_again_until_the_last_view() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"0123456789")
    os.close(writing)
    pipe = Pipe(reading)
    assert pipe.view().read(4) == b"0123"
    assert pipe.view().read(3) == b"012"
    last = pipe.view(last=True)
    assert last.read(4) + last.read(100) == b"0123456789"
    assert last.read(1) == b""
    with pytest.raises(RuntimeError, match="cannot be opened again"):
        pipe.view()
    os.close(reading)


def test_a_wait_for_a_pipe_can_be_ended() -> None:
    reading, writing = os.pipe()
    pipe = Pipe(reading)
    got: list[bytes] = []
    waiting = threading.Thread(target=lambda: got.append(pipe.view().read(1)))
    waiting.start()
    pipe.interrupt()
    waiting.join(timeout=5)
    assert got == [b""]
    os.close(reading)
    os.close(writing)


def test_an_error_elsewhere_does_not_wait_for_the_pipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program before us has sent some frames and stalls; ours fails and must end."""
    content = piped(CLIP, "yuv4mpegpipe", tmp_path / "clip.mkv")
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    os.write(writing, content[:40000])
    monkeypatch.setattr(Pipe, "of_stdin", classmethod(lambda cls: cls(reading)))

    def fail(*_: object, **__: object) -> Iterator[None]:
        raise RuntimeError("the network failed")

    monkeypatch.setattr("vidrestore.restoration.stage.restored_states", fail)
    with pytest.raises(RuntimeError, match="the network failed"):
        vidrestore.restore("-", tmp_path / "out.mkv")
    assert [p.name for p in tmp_path.iterdir()] == ["clip.mkv"]
    os.close(reading)
    os.close(writing)


def test_a_reader_that_has_closed_the_pipe_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_clip(tmp_path / "clip.mkv", CLIP)
    reading, writing = os.pipe()
    os.close(reading)
    monkeypatch.setattr(StdoutFile, "__init__", lambda self: setattr(self, "_descriptor", writing))
    with pytest.raises(OutputError, match="the program that reads it has ended"):
        vidrestore.restore(source, "-")
    os.close(writing)
