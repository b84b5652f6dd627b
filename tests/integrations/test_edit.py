"""`vidrestore edit` restores what a timeline uses, and gives its clips a reference to each version."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

otio = pytest.importorskip(
    "opentimelineio", reason="OpenTimelineIO is an extra: pip install vidrestore[otio]"
)

from tests.support.clips import Clip, make_clip  # noqa: E402
from tests.support.timelines import RATE, clip, part, timeline  # noqa: E402
from vidrestore.cli import main  # noqa: E402
from vidrestore.errors import UsageError  # noqa: E402
from vidrestore.integrations.edit import restore_edit  # noqa: E402
from vidrestore.integrations.edit.media_files import path_of  # noqa: E402
from vidrestore.types import Progress, Report  # noqa: E402


@dataclass
class Runs:
    """What was restored."""

    calls: list[tuple[str, dict[str, Any]]]
    fails: str = ""


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    """Stands for the network: copies the frames that are asked for."""
    result = Runs(calls=[])

    def restore(source: Path, output: Path, *, on_progress: Any = None, **settings: Any) -> Report:
        from vidrestore.errors import ProcessingError

        if source.name == result.fails:
            raise ProcessingError("the disk is full")
        result.calls.append((source.name, settings))
        output.write_bytes(b"restored")
        on_progress(Progress(frames=1, total=None, faces=0, seconds=1))
        frames = round((settings.get("end", 2) - settings.get("start", 0)) * RATE)
        return Report(
            output=output, frames=frames, frames_with_faces=1, faces=frames, tracks=1, lost_frames=0,
            seconds=1, seconds_by_stage={},
        )  # fmt: skip

    monkeypatch.setattr("vidrestore.api.restore", restore)
    return result


@pytest.fixture
def cut(tmp_path: Path) -> Path:
    """A timeline of two media of 50 frames: a is used twice, b once; a counts from one hour."""
    for name in "ab":
        make_clip(tmp_path / f"{name}.mkv", Clip(frames=50))
    hour = 3600 * RATE
    children = [
        clip("first", part(hour + 10, 5), "a.mkv", part(hour, 50)),
        clip("again", part(hour + 14, 6), "a.mkv", part(hour, 50)),
        clip("late", part(hour + 44, 6), "a.mkv", part(hour, 50)),
        clip("other", part(0, 50), (tmp_path / "b.mkv").as_uri()),
    ]
    otio.adapters.write_to_file(timeline(*children), str(tmp_path / "cut.otio"))
    return tmp_path / "cut.otio"


def run(cut: Path, *words: str) -> int:
    folder = cut.parent
    return main(["edit", str(cut), str(folder / "out.otio"), "--media", str(folder / "restored"), *words])


def test_each_used_frame_is_restored_once_with_handles(cut: Path, runs: Runs) -> None:
    assert run(cut, "--handles", "2", "--strength", "0.5") == 0
    ranges = [(name, s.get("start"), s.get("end")) for name, s in runs.calls]
    assert ranges == [("a.mkv", 8 / 25, 22 / 25), ("a.mkv", 42 / 25, None), ("b.mkv", None, None)]
    assert all(settings["strength"] == 0.5 for _, settings in runs.calls)
    restored = {path.name for path in (cut.parent / "restored").glob("*.mkv")}
    assert restored == {"a_8-21.mkv", "a_42-49.mkv", "b.mkv"}


def test_the_restored_medium_is_added_beside_the_original_with_equal_times(cut: Path, runs: Runs) -> None:
    assert run(cut, "--handles", "2") == 0
    before = otio.adapters.read_from_file(str(cut)).find_clips()
    after = otio.adapters.read_from_file(str(cut.parent / "out.otio")).find_clips()
    for old, new in zip(before, after, strict=True):
        references = new.media_references()
        assert new.active_media_reference_key == "vidrestore"
        assert set(references) == {"DEFAULT_MEDIA", "vidrestore"}
        assert references["DEFAULT_MEDIA"].is_equivalent_to(old.media_reference)
        assert new.source_range == old.source_range
        result = references["vidrestore"]
        stated = result.available_range
        assert stated.start_time <= new.source_range.start_time
        assert stated.end_time_exclusive() >= new.source_range.end_time_exclusive()
        assert path_of(result.target_url, cut.parent).is_file()
    again = after[1].media_references()["vidrestore"]
    assert again.target_url == "restored/a_8-21.mkv"
    assert again.available_range == part(3600 * RATE + 8, 14)
    assert after[3].media_references()["vidrestore"].target_url.startswith("file:///")


def test_the_original_may_stay_the_one_that_is_shown(cut: Path, runs: Runs) -> None:
    assert run(cut, "--active", "original") == 0
    clips = otio.adapters.read_from_file(str(cut.parent / "out.otio")).find_clips()
    assert {result.active_media_reference_key for result in clips} == {"DEFAULT_MEDIA"}
    assert all("vidrestore" in result.media_references() for result in clips)


def test_media_that_are_restored_already_are_not_restored_again(cut: Path, runs: Runs) -> None:
    assert run(cut) == 0
    done = len(runs.calls)
    assert run(cut) == 2, "the timeline is there already"
    assert run(cut, "--overwrite") == 0
    assert len(runs.calls) == done
    result = cut.parent / "out.otio"
    target = cut.parent / "third.otio"
    words = ["edit", str(result), str(target), "--media", str(cut.parent / "restored")]
    assert main(words) == 0, "the result of a run is restored from its originals"
    assert len(runs.calls) == done
    assert main([*words, "-y", "--strength", "0.5"]) == 0
    assert len(runs.calls) == 2 * done, "other settings are another result"


def test_no_original_is_ever_replaced(cut: Path, runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    folder = cut.parent
    words = ["edit", str(cut), str(folder / "out.otio"), "--media", str(folder), "--overwrite"]
    assert main(words) == 2
    assert "one of the edit's own media" in capsys.readouterr().err
    assert runs.calls == []
    (folder / "restored").mkdir()
    (folder / "restored" / "b.mkv").write_text("somebody's")
    assert run(cut) == 2
    assert "was not made by vidrestore edit" in capsys.readouterr().err
    assert (folder / "restored" / "b.mkv").read_text() == "somebody's"


def test_one_medium_that_fails_stops_no_other(
    cut: Path, runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    runs.fails = "a.mkv"
    assert run(cut, "--handles", "0") == 1
    assert "failed: the disk is full" in capsys.readouterr().err
    clips = otio.adapters.read_from_file(str(cut.parent / "out.otio")).find_clips()
    assert [result.active_media_reference_key for result in clips] == [*3 * ["DEFAULT_MEDIA"], "vidrestore"]


def test_media_that_are_missing_are_named(cut: Path, runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    (cut.parent / "b.mkv").unlink()
    assert run(cut) == 1
    assert "b.mkv: skipped:" in capsys.readouterr().err
    assert {name for name, _ in runs.calls} == {"a.mkv"}


def test_a_range_outside_of_the_medium_is_explained(
    tmp_path: Path, runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    make_clip(tmp_path / "a.mkv", Clip(frames=5))
    otio.adapters.write_to_file(timeline(clip("a", part(90000, 5))), str(tmp_path / "cut.otio"))
    assert run(tmp_path / "cut.otio") == 2
    assert "does not state the medium's start time" in capsys.readouterr().err


def cut_of_pictures(tmp_path: Path, folder: str, used: Any = None) -> Path:
    """A timeline of the pictures s.1001.png to s.1020.png in `folder`."""
    import numpy as np
    from PIL import Image

    (tmp_path / folder).mkdir(exist_ok=True)
    for number in range(1001, 1021):
        Image.fromarray(np.zeros((64, 96, 3), np.uint8)).save(tmp_path / folder / f"s.{number}.png")
    reference = otio.schema.ImageSequenceReference(
        target_url_base=folder, name_prefix="s.", name_suffix=".png", start_frame=1001, rate=RATE,
        frame_zero_padding=4, available_range=part(0, 20),
    )  # fmt: skip
    shown = otio.schema.Clip("s", media_reference=reference, source_range=used)
    otio.adapters.write_to_file(timeline(shown), str(tmp_path / "cut.otio"))
    return tmp_path / "cut.otio"


def test_an_image_sequence_is_restored_with_its_frame_numbers(tmp_path: Path, runs: Runs) -> None:
    cut_of_pictures(tmp_path, "shots", part(6, 4))
    assert run(tmp_path / "cut.otio", "--handles", "1") == 0
    ((name, settings),) = runs.calls
    assert name == "s.%04d.png"
    assert settings["fps"] == RATE
    assert round(settings["start"] * RATE) == 5
    (result,) = otio.adapters.read_from_file(str(tmp_path / "out.otio")).find_clips()
    restored = result.media_reference
    assert (restored.start_frame, restored.available_range) == (1006, part(5, 6))
    assert restored.target_url_base == "restored/s_5-10"


def test_a_sequence_that_failed_is_restored_by_the_next_run(tmp_path: Path, runs: Runs) -> None:
    cut = cut_of_pictures(tmp_path, "shots")
    runs.fails = "s.%04d.png"
    assert run(cut) == 1
    (folder,) = (tmp_path / "restored").iterdir()
    (folder / ".pictures.partial-1").touch()  # of a process that was killed
    (tmp_path / "out.otio").unlink()
    runs.fails = ""
    assert run(cut) == 0
    assert len(runs.calls) == 1


@pytest.mark.parametrize("media", [".", "linked"])
def test_no_picture_of_an_edit_is_ever_replaced(
    tmp_path: Path, runs: Runs, capsys: pytest.CaptureFixture[str], media: str
) -> None:
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "s").symlink_to(tmp_path / "s")
    cut = cut_of_pictures(tmp_path, "s")
    words = ["edit", str(cut), str(tmp_path / "out.otio"), "--media", str(tmp_path / media), "--overwrite"]
    assert main(words) == 2
    assert "one of the edit's own media" in capsys.readouterr().err
    assert runs.calls == []


@pytest.mark.parametrize(
    ("used", "url"),
    [
        (part(0, 5, 0), ""),
        (part(0, 5, -25), ""),
        (part(0, math.nan), ""),
        (part(math.inf, 5), ""),
        (part(0, 5), "file://[::1"),
        (part(0, 5), "a\0b.mkv"),
    ],
)
def test_invalid_times_and_urls_are_refused_with_one_error_message(
    used: Any, url: str, tmp_path: Path, runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    make_clip(tmp_path / "a.mkv", Clip(frames=10))
    otio.adapters.write_to_file(timeline(clip("a", used, url)), str(tmp_path / "cut.otio"))
    assert run(tmp_path / "cut.otio") == 2
    message = capsys.readouterr().err
    assert message.startswith("vidrestore: error: ")
    assert "defect" not in message
    assert message.count("\n") == 1
    assert runs.calls == []


DEEP = '{"OTIO_SCHEMA": "Timeline.1", "name": "]", "metadata": {"a": ' + "[" * 100_000


@pytest.mark.parametrize("content", ["", "{", '{"OTIO_SCHEMA": "Nothing.1"}', "\0", "[" * 100_000, DEEP])
def test_a_file_that_is_no_timeline_is_refused_with_one_error_message(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cut.otio").write_text(content)
    assert run(tmp_path / "cut.otio") == 2
    message = capsys.readouterr().err
    assert message.startswith("vidrestore: error: ")
    assert message.count("\n") == 1


@pytest.mark.slow
def test_the_range_of_a_real_video_is_restored_frame_by_frame(tmp_path: Path) -> None:
    """Frames of the restored file are those of the range, and its neighbour in time is the original's."""
    import av

    sample = Path(__file__).parents[2] / "samples" / "old_film.mp4"
    rate = 24000 / 1001
    used = clip("film", part(6, 2, rate), sample.as_uri(), part(0, 150, rate))
    otio.adapters.write_to_file(timeline(used), str(tmp_path / "cut.otio"))
    assert run(tmp_path / "cut.otio", "--handles", "1", "--codec", "ffv1", "--container", "mkv") == 0
    with av.open(str(tmp_path / "restored" / "old_film_5-8.mkv")) as container:
        result = [frame.to_ndarray(format="yuv420p") for frame in container.decode(video=0)]
    with av.open(str(sample)) as container:
        frames = [frame.to_ndarray(format="yuv420p") for frame in container.decode(video=0)][:12]
    assert len(result) == 4
    for number, after in enumerate(result, 5):
        same = [(frame == after).mean() for frame in frames]
        assert same[number] == max(same), "each is the frame of its number"
        assert 0.5 < same[number] < 0.995, "faces changed, the rest did not"


def test_the_media_of_an_edit_are_not_enlarged(tmp_path: Path) -> None:
    from vidrestore.settings import Settings

    with pytest.raises(UsageError, match="leave out upscale"):
        restore_edit(tmp_path / "a.otio", tmp_path / "b.otio", tmp_path / "media", Settings(upscale=2))
    assert not (tmp_path / "media").exists()
