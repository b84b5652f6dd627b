"""Changed sound and changed times are reported."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from tests.support.clips import Clip, make_clip, packets_of
from vidrestore.evaluation.stream_checks import FrameTimes, check_sound
from vidrestore.video import sound_digests

CLIP = Clip(frames=12, sounds=("aac",))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("sound") / "original.mp4", CLIP)


def test_a_digest_counts_the_packets_that_there_are(original: Path) -> None:
    (digest,) = sound_digests(original)
    (packets,) = packets_of(original, "audio")
    assert (digest.codec, digest.packets) == ("aac", len(packets))
    assert digest.first == packets[0][0]
    assert digest.last == packets[-1][0]


def test_the_same_sound_in_another_container_passes(original: Path, tmp_path: Path) -> None:
    copy = make_clip(tmp_path / "copy.mkv", CLIP)
    assert check_sound(copy, original, "input").passed
    assert check_sound(original, original, "input").passed


def test_missing_different_and_late_sound_are_noticed(original: Path, tmp_path: Path) -> None:
    silent = make_clip(tmp_path / "silent.mp4", replace(CLIP, sounds=()))
    assert "0 streams of sound, the input 1" in check_sound(silent, original, "input").sentence
    longer = make_clip(tmp_path / "longer.mp4", replace(CLIP, frames=30))
    assert "not the input's" in check_sound(longer, original, "input").sentence
    late = make_clip(tmp_path / "late.mkv", replace(CLIP, start=Fraction(1, 2)))
    check = check_sound(late, original, "input")
    assert not check.passed
    assert check_sound(silent, silent, "input").passed


def test_times_are_compared_frame_by_frame() -> None:
    times = FrameTimes("input", absolute=True)
    for number in range(10):
        times.add(number / 25 + (0.02 if number == 7 else 0.0004), number / 25)
    check = times.check()
    assert not check.passed
    assert "frame 7 is shown +0.020 s" in check.sentence


def test_a_constant_shift_in_time_fails_only_the_absolute_comparison() -> None:
    for absolute, passed in ((False, True), (True, False)):
        times = FrameTimes("truth", absolute=absolute)
        for number in range(5):
            times.add(number / 25 + 3, number / 25)
        assert times.check().passed is passed
