"""The metadata that encoders write, read back from their output."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import pytest

from tests.support.clips import Clip, make_clip
from tests.support.footage import Footage, interlaced, make_footage, panned
from tests.support.hdr_clips import MASTERED, mastered_clip
from vidrestore.types import FieldOrder
from vidrestore.video import VideoWriter, probe, read_frames
from vidrestore.video.reading.side_data import entries, hdr10, siting_and_field_order
from vidrestore.video.writing.encoder_metadata import field_order_code


def first_picture(path: Path) -> av.VideoFrame:
    with av.open(str(path)) as container:
        return next(container.decode(video=0))


def test_hdr10_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert hdr10(entries(first_picture(mastered_clip(tmp_path / "clip.mp4")))) == MASTERED
    assert hdr10(entries(first_picture(make_clip(tmp_path / "plain.mp4", Clip(frames=1))))) is None


def test_av1_holds_hdr10_to_its_own_precision(tmp_path: Path) -> None:
    source, target = mastered_clip(tmp_path / "clip.mp4"), tmp_path / "output.mkv"
    info = probe(source)
    with VideoWriter(target, info, codec="libsvtav1", preset="12") as writer:
        for frame in read_frames(source, info):
            writer.write(frame)
    assert writer.warnings == []
    result = hdr10(entries(first_picture(target)))
    assert result is not None
    assert result.primaries is not None
    assert result.luminance is not None
    assert result.light == MASTERED.light
    assert [float(v) for v in result.primaries] == pytest.approx(
        [float(v) for v in MASTERED.primaries or ()], abs=2e-5
    )
    assert [float(v) for v in result.luminance] == pytest.approx([0.005, 1000], abs=1e-4)


@pytest.mark.parametrize("order", ["top", "bottom"])
@pytest.mark.parametrize(
    ("codec", "kind", "in_pictures"),
    [
        ("libx264", ".mp4", True),
        ("libx264", ".mkv", True),
        ("ffv1", ".mkv", True),
        ("prores_ks", ".mov", True),
        ("libx265", ".mkv", False),
    ],
)
def test_fields_are_flagged_in_the_container_and_in_the_pictures(
    tmp_path: Path, codec: str, kind: str, in_pictures: bool, order: FieldOrder
) -> None:
    woven = interlaced(panned(8), top_first=order == "top")
    source, target = make_footage(tmp_path / "clip.mkv", woven, Footage()), tmp_path / f"output{kind}"
    info = probe(source)
    with VideoWriter(target, replace(info, field_order=order), codec=codec) as writer:
        for frame in read_frames(source, info):
            writer.write(frame)
    assert probe(target).field_order == order
    assert siting_and_field_order(first_picture(target))[1] == (order if in_pictures else "progressive")


@pytest.mark.parametrize(
    ("order", "source_code", "code"),
    [
        ("top", 0, 2), ("top", 5, 5), ("top", 3, 2), ("bottom", 0, 3), ("bottom", 4, 4),
        ("progressive", 0, 0), ("progressive", 1, 1), ("progressive", 2, 1),
    ],
)  # fmt: skip
def test_the_field_order_code_of_the_input_is_kept_if_it_agrees(
    order: FieldOrder, source_code: int, code: int
) -> None:
    assert field_order_code(order, source_code) == code
