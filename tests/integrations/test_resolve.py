"""Sessions of the script for DaVinci Resolve, on a fake of its scripting objects."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.support import fake_resolve as fake
from tests.support.clips import Clip, make_clip
from tests.support.jobs import frames_of
from tests.support.resolve_runs import Run
from vidrestore.integrations.child_command import ChildCommand
from vidrestore.integrations.resolve.results import BIN
from vidrestore.integrations.resolve.session import RunSettings, Session
from vidrestore.integrations.resolve.used_clips import exact_rate, find_used_clips


@pytest.fixture
def source(tmp_path: Path) -> str:
    return fake.touch(tmp_path / "a.mov")


def test_a_clip_gets_its_used_range_with_handles_as_its_second_take(source: str, tmp_path: Path) -> None:
    item = fake.Item("a", fake.Medium(source), first=100, last=149)
    run = Run(item)
    run.restore(strength=0.8, handles=10, faces="0,2")
    output = tmp_path / "vidrestore" / "a_100-149.mov"
    assert run.commands[0].words == [
        "restore", source, str(output), "--start", "3.980000", "--end", "6.020000", "--handles", "10",
        "--strength", "0.8", "--fidelity", "auto", "--faces", "0,2", "--codec", "match",
    ]  # fmt: skip
    assert [take["mediaPoolItem"].GetClipProperty("File Path") for take in item.takes] == [
        source, str(output),
    ]  # fmt: skip
    assert (item.takes[1]["startFrame"], item.takes[1]["endFrame"]) == (10, 59)
    assert item.selected == 2
    assert "a_100-149.mov: restored" in run.said
    assert "a_100-149.mov: a subtitle was left out" in run.said


def test_the_result_is_in_the_bin_and_the_users_folder_stays_open(source: str) -> None:
    run = Run(fake.Item("a", fake.Medium(source)))
    run.restore()
    assert [folder.name for folder in run.pool.root.folders] == [BIN]
    assert len(run.bin.clips) == 1
    assert run.pool.current is run.pool.root


def test_restoring_again_replaces_the_take_and_keeps_the_earlier_file(source: str, tmp_path: Path) -> None:
    item = fake.Item("a", fake.Medium(source))
    run = Run(item)
    run.restore(handles=10)
    run.restore(handles=5)
    first, second = (tmp_path / "vidrestore" / name for name in ("a_100-149.mov", "a_100-149_v2.mov"))
    assert run.commands[1].words[1:3] == [source, str(second)]
    assert [take["mediaPoolItem"].GetClipProperty("File Path") for take in item.takes] == [
        source, str(second),
    ]  # fmt: skip
    assert (item.takes[1]["startFrame"], item.selected) == (5, 2)
    assert first.is_file()
    assert len(run.pool.root.folders) == 1


def test_a_take_of_the_user_stays(source: str, tmp_path: Path) -> None:
    item = fake.Item("a", fake.Medium(source))
    other = fake.Medium(fake.touch(tmp_path / "b.mov"))
    run = Run(item)
    run.restore()
    item.AddTake(other, 0, 49)
    run.restore()
    names = [Path(take["mediaPoolItem"].GetClipProperty("File Path")).name for take in item.takes]
    assert names == ["a.mov", "b.mov", "a_100-149_v2.mov"]
    assert item.selected == 3


def test_clips_that_show_the_same_frames_are_restored_once(source: str) -> None:
    items = [fake.Item(name, fake.Medium(source)) for name in ("a", "b")]
    run = Run(*items)
    run.restore()
    assert len(run.commands) == 1
    assert [item.selected for item in items] == [2, 2]


def test_at_the_beginning_of_a_file_there_are_fewer_handles(source: str) -> None:
    item = fake.Item("a", fake.Medium(source), first=4, last=20)
    run = Run(item)
    run.restore(handles=10)
    assert (item.takes[1]["startFrame"], item.takes[1]["endFrame"]) == (4, 20)
    item = fake.Item("a", fake.Medium(source), first=0, last=20)
    run = Run(item)
    run.restore(handles=10)
    assert run.commands[0].words[3:5] == ["--start", "0.000000"]


def test_the_chosen_codec_and_folder_are_used(source: str, tmp_path: Path) -> None:
    run = Run(fake.Item("a", fake.Medium(source)))
    run.restore(codec="prores", folder=str(tmp_path / "results"))
    assert run.commands[0].words[2] == str(tmp_path / "results" / "a_100-149.mov")
    run.restore(codec="prores", folder=str(tmp_path / "no" / "such" / "folder"))
    assert run.said[-1].startswith("cannot make the folder")


def test_where_rates_differ_offsets_count_in_the_timelines_frames(source: str) -> None:
    item = fake.Item("a", fake.Medium(source, rate="50"))
    item.left_offset, item.duration, item.first, item.last = 30, 25, 59, 108
    (clip,) = find_used_clips(Run(item).timeline, "selected clips", set()).clips
    assert (clip.first, clip.last, clip.rate) == (60, 109, 50)


def test_a_version_without_source_frames_has_offsets(source: str) -> None:
    item = fake.Item("a", fake.Medium(source), first=7, last=11)
    item.GetSourceStartFrame = item.GetSourceEndFrame = None
    (clip,) = find_used_clips(Run(item).timeline, "selected clips", set()).clips
    assert (clip.first, clip.last) == (7, 11)


def test_frame_numbers_of_a_medium_may_start_at_any_number(source: str) -> None:
    item = fake.Item("a", fake.Medium(source, start="86400"), first=10, last=20)
    run = Run(item)
    run.restore()
    item.takes[0].update(startFrame=86410, endFrame=86420)
    (clip,) = find_used_clips(run.timeline, "selected clips", run_paths(run)).clips
    assert (clip.first, clip.last) == (10, 20)


def run_paths(run: Run) -> set[str]:
    return {clip.GetClipProperty("File Path") for clip in run.bin.clips}


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("23.976", Fraction(24000, 1001)), ("29.97 DF", Fraction(30000, 1001)), (25.0, Fraction(25)),
        ("24", Fraction(24)), ("12.5", Fraction(25, 2)), ("", None), ("0", None), (None, None),
    ],
)  # fmt: skip
def test_rounded_frame_rates_are_read_as_exact_fractions(text: Any, rate: Fraction | None) -> None:
    assert exact_rate(text) == rate


def test_each_scope_selects_its_clips(source: str) -> None:
    a, b = (fake.Item(name, fake.Medium(source), first=first) for first, name in enumerate("ab"))
    sound = fake.Item("sound", fake.Medium(source), track="audio")
    timeline = fake.Timeline([a], [b])
    timeline.GetSelectedClips = lambda: [b, sound]
    timeline.current = a

    def names(scope: str) -> list[str]:
        return [clip.item.name for clip in find_used_clips(timeline, scope, set()).clips]

    assert names("selected clips") == ["b"]
    assert names("clip at the playhead") == ["a"]
    assert names("all video tracks") == ["a", "b"]
    timeline.GetSelectedClips = None  # older versions
    assert names("selected clips") == ["a"]


def test_what_cannot_be_restored_is_named_and_stops_no_other(source: str, tmp_path: Path) -> None:
    run = Run(
        fake.Item("title", None),
        fake.Item("compound", fake.Medium("")),
        fake.Item("offline", fake.Medium(str(tmp_path / "gone.mov"))),
        fake.Item("frames", fake.Medium(str(tmp_path / "shot.[0001-0100].exr"))),
        fake.Item("odd", fake.Medium(source, rate="")),
        fake.Item("a", fake.Medium(source)),
    )
    run.restore()
    names = [sentence.split(": ")[1] for sentence in run.said if sentence.startswith("left out: ")]
    assert names == ["title", "compound", "offline", "frames", "odd"]
    assert len(run.commands) == 1


def test_a_missing_timeline_or_clip_is_reported(source: str) -> None:
    run = Run()
    run.restore()
    assert "there is no clip to restore" in run.said[-1]
    run.resolve = fake.Resolve(None)
    run.restore()
    assert run.said[-1] == "open a timeline first"
    run.resolve.project = None
    run.restore()


def test_a_failure_is_reported_and_the_next_clip_is_tried(source: str) -> None:
    items = [fake.Item("a", fake.Medium(source)), fake.Item("b", fake.Medium(source), first=5)]
    run = Run(*items)
    run.state = "failed"
    run.restore()
    assert len(run.commands) == 2
    assert run.said == ["a.mov: it is no video"] * 2
    assert not any(item.takes for item in items)


def test_cancel_ends_what_runs_and_what_waits(source: str) -> None:
    run = Run(fake.Item("a", fake.Medium(source)), fake.Item("b", fake.Medium(source), first=5))
    run.state = "running"
    session = run.session()
    session.step()
    session.step()
    assert (session.is_busy, session.share) == (True, 0.25)
    assert session.text == "1 of 2: a_100-149.mov, restoring"
    session.cancel()
    session.step()
    assert not session.is_busy
    assert len(run.commands) == 1
    assert run.said == ["a.mov: cancelled"]


@pytest.mark.parametrize("what", ["refuses_folders", "refuses_media", "refuses_takes", "gone"])
def test_a_refusal_by_resolve_is_reported_with_a_name(
    what: str, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = fake.Item("a", fake.Medium(source))
    run = Run(item)
    if what == "gone":
        monkeypatch.setattr(item, "AddTake", None)
    else:
        setattr(item if what == "refuses_takes" else run.pool, what, True)
    run.restore()
    assert "a_100-149.mov" in run.said[-1] or BIN in run.said[-1]
    assert run.pool.current is run.pool.root
    assert item.takes == []


def test_the_real_command_restores_the_range_with_its_handles(tmp_path: Path) -> None:
    make_clip(tmp_path / "a.mkv", Clip(frames=30))
    item = fake.Item("a", fake.Medium(str(tmp_path / "a.mkv")), first=10, last=14)
    run = Run(item)

    def start(words: Sequence[str]) -> ChildCommand:
        return ChildCommand(words, command=[sys.executable, "-m", "vidrestore"])

    session = Session(run.resolve, RunSettings(handles=3), run.said.append, start)
    session.step()
    assert session._command is not None
    assert session._command.wait(300)
    session.step()
    assert run.said[-1] == "a_10-14.mkv: restored", run.said
    assert item.takes[1]["startFrame"] == 3
    result = frames_of(tmp_path / "vidrestore" / "a_10-14.mkv")
    assert len(result) == 12  # 7 to 18: one more than shown, and three handles at each end
