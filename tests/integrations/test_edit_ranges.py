"""Which frames of its media an edit uses, and how it names the files."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

otio = pytest.importorskip(
    "opentimelineio", reason="OpenTimelineIO is an extra: pip install vidrestore[otio]"
)
from tests.support.clips import Clip, make_clip  # noqa: E402
from tests.support.timelines import RATE, clip, part, time, timeline  # noqa: E402
from vidrestore.integrations.edit.media_files import path_of, url_like  # noqa: E402
from vidrestore.integrations.edit.spans import Span, exact_rate  # noqa: E402
from vidrestore.integrations.edit.used_clips import find_used_clips  # noqa: E402


def spans(root: Any) -> dict[str, tuple[float, float] | None]:
    """Frames that each clip takes of its medium."""
    return {
        used.clip.name: None
        if used.span is None
        else (float(used.span.start * RATE), float(used.span.end * RATE))
        for used in find_used_clips(root)
    }


def test_a_clip_takes_its_trimmed_range() -> None:
    assert spans(timeline(clip("a", part(10, 5)), clip("b", part(100, 7)))) == {
        "a": (10, 15),
        "b": (100, 107),
    }


def test_sound_and_what_is_disabled_are_left_out() -> None:
    cut = timeline(clip("a", part(10, 5)))
    off = clip("off", part(0, 5))
    off.enabled = False
    cut.tracks[0].append(off)
    cut.tracks.append(otio.schema.Track("A1", [clip("sound", part(0, 9))], kind=otio.schema.TrackKind.Audio))
    assert spans(cut) == {"a": (10, 15)}


def test_a_transition_takes_more_of_both_clips() -> None:
    dissolve = otio.schema.Transition(in_offset=time(2), out_offset=time(3))
    cut = timeline(clip("a", part(10, 5)), dissolve, clip("b", part(100, 7)))
    assert spans(cut) == {"a": (10, 18), "b": (98, 107)}


@pytest.mark.parametrize(
    ("effect", "expected"),
    [
        (lambda: otio.schema.LinearTimeWarp(time_scalar=2), (10, 20)),
        (lambda: otio.schema.LinearTimeWarp(time_scalar=0.5), (10, 15)),
        (lambda: otio.schema.LinearTimeWarp(time_scalar=-2), (0, 20)),
        (lambda: otio.schema.FreezeFrame(), (10, 11)),
        (lambda: otio.schema.TimeEffect(), None),
    ],
)
def test_a_retimed_clip_takes_the_frames_that_its_speed_needs(effect: Any, expected: Any) -> None:
    result = clip("a", part(10, 5))
    result.effects.append(effect())
    assert spans(timeline(result)) == {"a": expected}


def test_a_nested_clip_takes_the_frames_that_its_parents_show() -> None:
    inner = otio.schema.Track("inner", [clip("a", part(10, 20)), clip("b", part(100, 20))])
    nested = otio.schema.Stack("scene", [inner], source_range=part(15, 10))
    # Frames 15 to 25 of the scene: the last five of a, the first five of b.
    assert spans(timeline(clip("c", part(0, 3)), nested)) == {"c": (0, 3), "a": (25, 30), "b": (100, 105)}


def test_a_nested_clip_that_is_trimmed_away_is_left_out() -> None:
    inner = otio.schema.Track("inner", [clip("a", part(10, 20)), clip("b", part(100, 20))])
    assert spans(timeline(otio.schema.Stack("s", [inner], source_range=part(0, 10)))) == {"a": (10, 20)}


def test_a_retimed_scene_takes_more_of_its_clips() -> None:
    inner = otio.schema.Track("inner", [clip("a", part(10, 20)), clip("b", part(100, 20))])
    nested = otio.schema.Stack("scene", [inner], source_range=part(5, 10))
    nested.effects.append(otio.schema.LinearTimeWarp(time_scalar=2))
    assert spans(timeline(nested)) == {"a": (15, 30), "b": (100, 105)}


def test_a_clip_without_any_range_takes_all_of_its_medium() -> None:
    assert spans(timeline(clip("a", None), clip("b", part(3, 2)))) == {"a": None, "b": (3, 5)}


def test_rates_are_exact() -> None:
    assert exact_rate(23.976) == exact_rate(24000 / 1001) == Fraction(24000, 1001)
    assert exact_rate(29.97) == Fraction(30000, 1001)
    assert exact_rate(25.0) == 25
    assert Span(Fraction(1), Fraction(1)).is_empty


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("a b.mov", "/cut/a b.mov"),
        ("/media/a%20b.mov", "/media/a%20b.mov"),
        ("file:///media/a%20b.mov", "/media/a b.mov"),
        ("file://localhost/media/a.mov", "/media/a.mov"),
    ],
)
def test_addresses_are_read_as_programs_write_them(url: str, path: str) -> None:
    assert path_of(url, Path("/cut")) == Path(path)


def test_addresses_are_written_as_the_original_is() -> None:
    restored, folder = Path("/cut/restored/a b.mov"), Path("/cut")
    assert url_like("file:///media/a.mov", restored, folder) == "file:///cut/restored/a%20b.mov"
    assert url_like("/media/a.mov", restored, folder) == "/cut/restored/a b.mov"
    assert url_like("media/a.mov", restored, folder) == "restored/a b.mov"


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
@pytest.mark.parametrize("rate", [Fraction(25), Fraction(24000, 1001), Fraction(30000, 1001)])
def test_the_requested_range_holds_exactly_its_frames(rate: Fraction, suffix: str, tmp_path: Path) -> None:
    from vidrestore import video
    from vidrestore.integrations.edit.plan import EditPart, SourceFile
    from vidrestore.integrations.edit.restore_edit import settings_of
    from vidrestore.settings import Settings

    path = make_clip(tmp_path / f"a.{suffix}", Clip(frames=40, rate=rate, time_base=1 / rate / 1000))
    info = video.probe(path)
    assert info.frame_rate == rate
    whole = [frame.planes[0].tobytes() for frame in video.read_frames(video.open_input(path), info)]
    source = SourceFile(path=path, rate=info.frame_rate, frames=info.frame_count, first_number=None)
    for first in range(1, 38):
        part = EditPart(source=source, fps=None, first=first, end=first + 3)
        wanted = settings_of(part, Settings(), overwrite=False)
        opened = video.open_input(path)
        frames = list(video.read_frames(opened, info, start=wanted.start, end=wanted.end))
        assert [frame.planes[0].tobytes() for frame in frames] == whole[first : first + 3]


def test_a_clip_with_an_infinite_speed_takes_all_of_its_medium() -> None:
    shown = clip("a", part(10, 5))
    shown.effects.append(otio.schema.LinearTimeWarp(time_scalar=math.inf))
    assert spans(timeline(shown)) == {"a": None}
