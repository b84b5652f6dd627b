"""A video is examined in one opening, and the result is passed to all that need it."""

from __future__ import annotations

import io
import pickle
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from av.format import ContainerFormat

import vidrestore
from tests.support.clips import Clip, make_clip
from vidrestore.video import look_at, open_video, probe
from vidrestore.video.formats import containers
from vidrestore.video.writing import atomic_output

CLIP = Clip(frames=12, sounds=("aac",), time_base=Fraction(1, 1000))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often a container was opened, to be read, to be written, and in memory only."""
    counts: Counter[str] = Counter()
    real = av.open

    def counting(file: Any, mode: str = "r", **how: Any) -> Any:
        kind = "read" if mode == "r" else "trial" if isinstance(file, io.BytesIO) else "written"
        counts[kind] += 1
        return real(file, mode, **how)

    monkeypatch.setattr(av, "open", counting)
    return counts


def _count(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, counts: Counter[str]) -> None:
    real: Callable[..., Any] = getattr(module, name)

    def counting(*arguments: Any, **how: Any) -> Any:
        counts[name] += 1
        return real(*arguments, **how)

    monkeypatch.setattr(module, name, counting)


def test_examining_a_video_opens_its_file_once(tmp_path: Path, opened: Counter[str]) -> None:
    path = make_clip(tmp_path / "clip.mkv", CLIP)
    opened.clear()
    look = open_video(path)
    assert opened == {"read": 1}
    assert look.info == probe(path)
    assert look.side_data.other_streams == ("audio stream 1 (aac, eng)",)
    assert "languages" in look.side_data.pieces
    assert look.field_processing.measure.frames == 12


def test_a_restore_opens_its_input_to_examine_decode_and_copy(
    tmp_path: Path, opened: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_clip(tmp_path / "clip.mkv", CLIP)
    opened.clear()
    _count(monkeypatch, atomic_output, "check_target", opened)
    _count(monkeypatch, atomic_output, "choose_container", opened)
    vidrestore.restore(path, tmp_path / "out.mkv")
    assert opened["read"] == 3
    assert (opened["check_target"], opened["choose_container"]) == (1, 1)
    assert opened["trial"] <= 4  # whether the container takes the encoder and the sound


@pytest.fixture
def opened_files() -> Iterator[Counter[str]]:
    """How often each file was opened, in whatever way. Python cannot remove an audit hook; it ends here."""
    counts, is_active = Counter[str](), [True]

    def count(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and is_active:
            counts[Path(str(arguments[0])).name] += 1

    sys.addaudithook(count)
    yield counts
    is_active.clear()


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.data"])
def test_a_restore_opens_the_file_once_more_to_recognise_it(
    name: str, tmp_path: Path, opened_files: Counter[str]
) -> None:
    path = make_clip(tmp_path / "made.mp4", CLIP).rename(tmp_path / name)
    opened_files.clear()
    vidrestore.restore(path, tmp_path / "out.mkv")
    assert opened_files[name] == 4  # to recognise it, to look, to decode and to copy


def test_an_inspection_opens_its_input_to_look_and_to_decode(tmp_path: Path, opened: Counter[str]) -> None:
    path = make_clip(tmp_path / "clip.mkv", CLIP)
    opened.clear()
    vidrestore.inspect(path)
    assert opened["read"] == 2


def test_what_is_known_can_be_sent_to_another_machine(tmp_path: Path) -> None:
    look = open_video(make_clip(tmp_path / "clip.ts", replace(CLIP, time_base=Fraction(1, 90000))))
    assert pickle.loads(pickle.dumps(look)) == look


def test_information_about_a_video_is_reported_before_its_fields_are_measured(tmp_path: Path) -> None:
    received: list[Any] = []
    look = look_at(make_clip(tmp_path / "clip.mp4"), measures_fields=True, on_info=received.append)
    assert received == [look.info]


def test_every_extension_has_a_container_that_holds_video() -> None:
    for extension, muxer in containers._BY_EXTENSION.items():
        kind = ContainerFormat(muxer, "w")
        assert extension in kind.extensions or extension in ("264", "dnxhr"), extension
        assert containers._holds_video(muxer), muxer
