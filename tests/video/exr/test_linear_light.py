"""OpenEXR pictures hold linear light, and keep it outside faces."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import vidrestore
from tests.support.clips import Clip, make_clip
from tests.support.picture_sequences import (
    HEIGHT,
    WIDTH,
    read_samples,
    write_sequence,
)
from tests.support.shared import ROOT
from vidrestore.errors import UsageError
from vidrestore.video import open_input, probe, read_frames
from vidrestore.video.exr import exr_file
from vidrestore.video.formats.image_sequence import Pattern


def test_a_change_of_codes_changes_linear_light_by_the_same_difference() -> None:
    light = np.full((4, 4, 3), 2.5, np.float32)
    light[0] = 0.25
    codes = exr_file.to_codes(light)
    source = open_frame(codes)
    np.testing.assert_array_equal(exr_file.apply_changes(light, source), light)
    brighter = [plane.copy() for plane in codes]
    for plane in brighter:
        plane[0, 0] = exr_file.to_codes(np.full((1, 1, 3), 0.5, np.float32))[0][0, 0]
        plane[3, 3] = exr_file.to_codes(np.full((1, 1, 3), 0.75, np.float32))[0][0, 0]
    result = exr_file.apply_changes(light, open_frame(brighter))
    np.testing.assert_allclose(result[0, 0], 0.5, atol=1e-4)
    np.testing.assert_allclose(result[3, 3], 2.25, atol=1e-4)  # a highlight stays one
    assert np.count_nonzero(result != light) == 6


def open_frame(planes: Any) -> Any:
    from vidrestore.types import Frame
    from vidrestore.video import describe_format

    return Frame(
        index=0,
        pts=0,
        duration=1,
        time_base=Fraction(1, 25),
        planes=tuple(planes),
        format=describe_format("gbrp16le"),
        colour=exr_file.COLOUR,
    )


def test_only_the_face_changes_in_pictures_of_linear_light(tmp_path: Path) -> None:
    for folder in ("in", "out", "both"):
        (tmp_path / folder).mkdir()
    vidrestore.restore(ROOT / "samples" / "old_film.mp4", tmp_path / "in/%d.exr", end=0.1, strength=0)
    half = [cv2.IMWRITE_EXR_TYPE, cv2.IMWRITE_EXR_TYPE_HALF]
    for path in (tmp_path / "in").iterdir():
        cv2.imwrite(str(path), read_samples(path) * 2, half)  # so that some of it is brighter than white
    report = vidrestore.restore(tmp_path / "in/%d.exr", tmp_path / "out/%d.exr")
    assert report.faces > 0
    original, result = read_samples(tmp_path / "in/1.exr"), read_samples(tmp_path / "out/1.exr")
    assert original.max() > 1
    rows, columns = np.nonzero((original != result).any(axis=-1))
    assert 0.005 < len(rows) / (640 * 480) < 0.25
    box = (slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1))
    assert np.abs(result[box] - original[box]).mean() < 0.2
    vidrestore.restore(tmp_path / "in/%d.exr", tmp_path / "both/%d.exr", compare="side-by-side")
    np.testing.assert_array_equal(
        read_samples(tmp_path / "both/1.exr"), np.concatenate([original, result], axis=1)
    )


def test_video_becomes_linear_light(tmp_path: Path) -> None:
    source = write_sequence(
        tmp_path / "in", "%d.png", lambda _: np.full((HEIGHT, WIDTH, 3), 188, np.uint8), range(1, 2)
    )
    vidrestore.restore(source, tmp_path / "%d.exr")
    result = read_samples(tmp_path / "1.exr")
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, 0.5029, atol=1e-3)  # sRGB 188 is half the light of white


def test_a_transfer_that_is_not_known_does_not_go_into_exr(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "in.mp4", Clip(frames=2, pixel_format="yuv420p10le", colour=(9, 9, 10, 1)))
    with pytest.raises(UsageError, match="transfer 10"):
        vidrestore.restore(source, tmp_path / "%d.exr")
    assert list(tmp_path.iterdir()) == [source]


def test_reading_an_exr_names_its_own_file_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The names of a whole sequence, built for each of its pictures, took 0.8 s a picture of 5000."""
    for number in range(1, 41):
        exr_file.save(tmp_path / f"{number}.exr", np.zeros((16, 16, 3), np.float32), half=True)
    video_input = open_input(tmp_path / "%d.exr")
    info = probe(video_input)
    named: list[int] = []
    path = Pattern.path
    monkeypatch.setattr(Pattern, "path", lambda self, number: (named.append(number), path(self, number))[1])
    frames = list(read_frames(video_input, info))
    assert [exr_file.picture_path(video_input, frame).name for frame in frames][:2] == ["1.exr", "2.exr"]
    assert len(named) <= 3 * len(frames)
