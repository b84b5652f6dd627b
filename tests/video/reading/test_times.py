"""Odd times: impossible ones, clocks that restart, missing decoding times, negative times."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

import vidrestore
from tests.support.clips import Clip, make_clip, packets_of, read_number
from tests.support.damage import flip_timestamp
from vidrestore.types import Frame
from vidrestore.video import VideoWriter, open_input, probe, read_frames

BROADCAST = Clip(frames=30, gop=10, time_base=Fraction(1, 90000))
SOUND = Clip(frames=30, gop=10, time_base=Fraction(1, 90000), sounds=("aac",))
STEP = Fraction(1, 25)
WRAP = Fraction(2**33, 90000)


def _read(path: Path, **how: float) -> tuple[list[Frame], int, int]:
    """Frames, how many were lost, how many concealed."""
    lost: list[int] = []
    concealed: list[int] = []
    video_input = open_input(path)
    frames = list(
        read_frames(
            video_input,
            probe(video_input),
            on_lost=lambda: lost.append(1),
            on_concealed=lambda: concealed.append(1),
            **how,
        )
    )
    return frames, len(lost), len(concealed)


def _copy(path: Path, output: Path, **how: float) -> VideoWriter:
    """Writes what was read, with all streams of the input."""
    video_input = open_input(path)
    info = probe(video_input)
    start, end = how.get("start"), how.get("end")
    with VideoWriter(output, info, source=video_input, start=start, end=end, preset="ultrafast") as writer:
        for frame in read_frames(video_input, info, start=start, end=end):
            writer.write(frame)
    return writer


def _steps(frames: list[Frame]) -> set[Fraction]:
    return {(b.pts - a.pts) * a.time_base for a, b in pairwise(frames)}


def _numbers(frames: list[Frame]) -> list[int]:
    return [read_number(frame.planes[0]) for frame in frames]


def _shown(path: Path) -> list[Fraction]:
    """When a player shows the frames [seconds]."""
    with av.open(str(path)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0) if frame.pts is not None]


def _sound(path: Path) -> list[tuple[Fraction, Fraction]]:
    return [(time, duration) for time, duration, _ in packets_of(path, "audio")[0]]


@pytest.mark.parametrize("both", [True, False], ids=["both times", "presentation time"])
@pytest.mark.parametrize("bit", [12, 14, 17, 19, 22, 26, 30, 32])
@pytest.mark.parametrize("number", [0, 4, 15, 29])
def test_one_flipped_bit_of_a_time_moves_no_frame(tmp_path: Path, number: int, bit: int, both: bool) -> None:
    path = make_clip(tmp_path / "clip.ts", BROADCAST)
    frames, lost, concealed = _read(flip_timestamp(path, number, bit, dts=both))
    assert _numbers(frames) == list(range(30))
    assert lost == 0
    # A small one may leave a frame anywhere between its neighbours, and the last one a moment later.
    assert max(_steps(frames)) < Fraction(1, 4)
    if bit >= 17:
        assert concealed == 1
        assert _steps(frames) == {STEP}
    duration = probe(open_input(path)).duration
    assert duration is not None
    assert abs(duration - Fraction(12, 10)) < Fraction(1, 2)


@pytest.mark.parametrize("bit", [19, 26, 32])
@pytest.mark.parametrize("number", [0, 1, 20, -1])
def test_a_flipped_bit_in_a_time_of_the_sound_is_named(tmp_path: Path, number: int, bit: int) -> None:
    path = make_clip(tmp_path / "clip.ts", SOUND)
    whole = _sound(path)
    with av.open(str(path)) as container:
        container.flags |= 0x30  # PES packets as they are
        packets = sum(packet.size > 0 for packet in container.demux(audio=0))
    flip_timestamp(path, number % packets, bit, stream=0xC0)
    writer = _copy(path, tmp_path / "out.mkv")
    result = _sound(tmp_path / "out.mkv")
    assert abs(len(result) - len(whole)) <= 1
    assert result[-1][0] - result[0][0] < 2
    assert any("were impossible" in warning for warning in writer.warnings)


@pytest.mark.parametrize("kind", ["mp4", "mkv"])
@pytest.mark.parametrize("sounds", [(), ("aac",)])
@pytest.mark.parametrize("starts", [(0, 0), (7200, 0), (0, 7200), (3, 90000)])
def test_a_clock_that_starts_again_continues_without_a_break(
    tmp_path: Path, kind: str, sounds: tuple[str, ...], starts: tuple[int, int]
) -> None:
    path = _joined(tmp_path, sounds, starts)
    frames, lost, concealed = _read(path)
    assert (len(frames), lost, concealed) == (60, 0, 0)
    assert _numbers(frames) == [*range(30), *range(30)]
    assert Fraction(1, 100) < min(_steps(frames)) <= max(_steps(frames)) < Fraction(1, 10)
    _copy(path, tmp_path / f"out.{kind}")
    shown = _shown(tmp_path / f"out.{kind}")
    assert len(shown) == 60
    assert 2.3 < shown[-1] - shown[0] < 2.6
    if sounds:
        heard = _sound(tmp_path / f"out.{kind}")
        assert len(heard) > 2 * 48
        assert 2.3 < heard[-1][0] - heard[0][0] < 2.6


def test_the_second_half_of_a_joined_broadcast_is_found_by_its_time(tmp_path: Path) -> None:
    path = _joined(tmp_path, ("aac",), (0, 0))
    frames, _, _ = _read(path, start=1.6, end=2.0)
    assert _numbers(frames) == list(range(10, 20)) or _numbers(frames) == list(range(9, 19))
    _copy(path, tmp_path / "out.mkv", start=1.6, end=2.0)
    assert len(_shown(tmp_path / "out.mkv")) == 10


def test_the_user_is_warned_of_a_clock_that_starts_again(tmp_path: Path) -> None:
    report = vidrestore.restore(_joined(tmp_path, ("aac",), (0, 0)), tmp_path / "out.mp4")
    assert (report.frames, report.damage) == (60, 0)
    assert [w for w in report.warnings if "clock" in w and "1.2 s" in w]


def test_a_steady_broadcast_is_no_joined_one(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.ts", SOUND)
    video_input = open_input(path)
    assert video_input.clock is not None
    assert video_input.clock.is_steady
    assert video_input.can_seek


@pytest.mark.parametrize("kind", ["mp4", "mkv", "mov"])
@pytest.mark.parametrize("before", [Fraction(2), Fraction(1, 2), Fraction(3, 100)])
@pytest.mark.parametrize("sounds", [(), ("mp2",)])
def test_negative_times_of_picture_and_sound_are_shifted_equally(
    tmp_path: Path, kind: str, before: Fraction, sounds: tuple[str, ...]
) -> None:
    clip = Clip(
        frames=30,
        time_base=Fraction(1, 90000),
        sounds=sounds,
        container_options={"output_ts_offset": f"{float(WRAP - before):.5f}"},
    )
    path = make_clip(tmp_path / "clip.ts", clip)
    video_input = open_input(path)
    original = [frame.pts * frame.time_base for frame in read_frames(video_input, probe(video_input))]
    assert original[0] < 0
    _copy(path, tmp_path / f"out.{kind}")
    shown = _shown(tmp_path / f"out.{kind}")
    assert len(shown) == 30
    shift = shown[0] - original[0]
    assert 0 <= shown[0] < Fraction(1, 4)
    assert all(abs(new - old - shift) <= Fraction(1, 1000) for old, new in zip(original, shown, strict=True))
    if sounds:
        heard, message = _sound(tmp_path / f"out.{kind}"), _sound(path)
        assert len(heard) == len(message)
        assert abs(heard[0][0] - message[0][0] - shift) <= Fraction(1, 1000)
        assert heard[0][0] >= 0


@pytest.mark.parametrize("kind", ["avi", "asf"])
@pytest.mark.parametrize("b_frames", [0, 1, 3])
def test_containers_of_decoding_times_give_each_frame_its_own(
    tmp_path: Path, kind: str, b_frames: int
) -> None:
    clip = Clip(frames=40, b_frames=b_frames, gop=12, time_base=Fraction(1, 25))
    frames, lost, concealed = _read(make_clip(tmp_path / f"clip.{kind}", clip))
    assert (lost, concealed) == (0, 0)
    assert _numbers(frames) == list(range(40))
    assert _steps(frames) == {STEP}
    assert frames[0].pts == 0


def _joined(folder: Path, sounds: tuple[str, ...], starts: tuple[int, int]) -> Path:
    """Two recordings, one behind the other, that begin at `starts` [seconds]."""
    path = folder / "joined.ts"
    with path.open("wb") as file:
        for number, start in enumerate(starts):
            clip = Clip(frames=30, gop=10, time_base=Fraction(1, 90000), sounds=sounds, start=Fraction(start))
            file.write(make_clip(folder / f"{number}.ts", clip).read_bytes())
    return path


YEARS = 10 * 365 * 24 * 3600 * 1000
JUMPS = {
    "the last": [0, 40, 80, 120, 160, YEARS],
    "the last three": [0, 40, 80, YEARS, YEARS + 40, YEARS + 80],
    "the first": [YEARS, 40, 80, 120, 160, 200],
}
"""Milliseconds of frames of which some are years away."""


@pytest.mark.parametrize("kind", ["mkv", "nut"])
@pytest.mark.parametrize("wild", JUMPS)
def test_times_that_are_years_away_are_damage_and_not_years_of_video(
    tmp_path: Path, wild: str, kind: str
) -> None:
    millisecond = Fraction(1, 1000)
    clip = Clip(frames=6, gop=1, b_frames=0, times=JUMPS[wild], time_base=millisecond)
    path = make_clip(tmp_path / f"in.{kind}", clip)
    frames, lost, concealed = _read(path)
    assert lost + concealed >= 1
    assert (probe(path).frame_count or 0) <= 6
    assert frames[-1].pts * frames[-1].time_base - frames[0].pts * frames[0].time_base < 2
    assert len(frames) >= 5
    for output in ("out.mp4", "out.mkv"):
        _copy(path, tmp_path / output)
        assert _shown(tmp_path / output)[-1] < 2


@pytest.mark.parametrize("kind", ["mkv", "nut", "mp4"])
def test_a_pause_of_hours_stays(tmp_path: Path, kind: str) -> None:
    times = [0, 40, 80, 3 * 3600_000, 3 * 3600_000 + 40]
    clip = Clip(frames=5, gop=1, b_frames=0, times=times, time_base=Fraction(1, 1000))
    frames, lost, concealed = _read(make_clip(tmp_path / f"in.{kind}", clip))
    assert [round(frame.pts * frame.time_base * 1000) for frame in frames] == times
    assert lost + concealed == 0
