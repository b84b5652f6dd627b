"""OpenEXR pictures keep their other channels, their parts and their attributes."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
import pytest

import vidrestore
from vidrestore.video.exr import changed_copy as module
from vidrestore.video.exr import exr_file
from vidrestore.video.exr.changed_copy import changed_copy

HEIGHT, WIDTH = 48, 64


def pixels(seed: int, kind: Any = np.float16) -> Any:
    return (100 * np.random.default_rng(seed).random((HEIGHT, WIDTH))).astype(kind)


def write_layers(path: Path, compression: Any = OpenEXR.ZIP_COMPRESSION) -> Path:
    """A picture with depth and a mask, and a second part."""
    colour = {
        **{name: pixels(seed) for seed, name in enumerate("RGBA")},
        "depth.Z": pixels(5, np.float32),
        "mask.id": pixels(6, np.uint32),
    }
    header = {"compression": compression, "owner": "a studio", "framesPerSecond": Fraction(24)}
    normals = {name: pixels(seed, np.float32) for seed, name in enumerate("XYZ", 7)}
    parts = [
        OpenEXR.Part(header, colour, "beauty"),
        OpenEXR.Part({"compression": compression}, normals, "normals"),
    ]
    OpenEXR.File(parts).write(str(path))
    return path


def parts_of(path: Path) -> list[Any]:
    return list(OpenEXR.File(str(path), separate_channels=True).parts)


@pytest.mark.parametrize(
    ("compression", "written"),
    [
        (OpenEXR.ZIP_COMPRESSION, OpenEXR.ZIP_COMPRESSION),
        (OpenEXR.PIZ_COMPRESSION, OpenEXR.PIZ_COMPRESSION),
        (OpenEXR.DWAA_COMPRESSION, OpenEXR.ZIP_COMPRESSION),  # a second loss would change all pixels
    ],
)
def test_a_copy_differs_in_the_changed_pixels_only(tmp_path: Path, compression: Any, written: Any) -> None:
    source = write_layers(tmp_path / "in.exr", compression)
    picture = exr_file.load(source)
    changed = picture.copy()
    changed[4:8, 10:20, :3] = 0.5
    content = changed_copy(source, changed)
    assert content is not None
    (tmp_path / "out.exr").write_bytes(content)
    np.testing.assert_array_equal(exr_file.load(tmp_path / "out.exr"), changed)
    before, after = parts_of(source), parts_of(tmp_path / "out.exr")
    assert [part.name() for part in after] == ["beauty", "normals"]
    assert after[0].header["compression"] == written
    assert after[0].header["owner"] == "a studio"
    assert after[0].header["framesPerSecond"] == before[0].header["framesPerSecond"]
    for old, new in zip(before, after, strict=True):
        assert set(new.channels) == set(old.channels)
        for name in set(new.channels) - set("RGB" if old is before[0] else ""):
            assert new.channels[name].pixels.dtype == old.channels[name].pixels.dtype
            np.testing.assert_array_equal(new.channels[name].pixels, old.channels[name].pixels)


def test_a_restored_picture_without_faces_keeps_everything(tmp_path: Path) -> None:
    source = write_layers(tmp_path / "in.exr")
    report = vidrestore.restore(source, tmp_path / "out.exr")
    assert report.faces == 0
    assert report.warnings == ()
    for old, new in zip(parts_of(source), parts_of(tmp_path / "out.exr"), strict=True):
        for name in old.channels:
            np.testing.assert_array_equal(new.channels[name].pixels, old.channels[name].pixels)


def test_what_cannot_be_copied_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_layers(tmp_path / "in.exr")
    monkeypatch.setattr(module, "_MAX_SAMPLES", 10)
    report = vidrestore.restore(source, tmp_path / "out.exr")
    assert report.warnings == (
        "of in.exr only colour and alpha were kept; other channels and attributes were left out",
    )
    np.testing.assert_array_equal(exr_file.load(tmp_path / "out.exr"), exr_file.load(source))


def test_changes_beyond_the_largest_half_stay_numbers(tmp_path: Path) -> None:
    source = write_layers(tmp_path / "in.exr")
    changed = exr_file.load(source)
    changed[0, 0, :3] = 1e9
    content = changed_copy(source, changed)
    assert content is not None
    (tmp_path / "out.exr").write_bytes(content)
    assert exr_file.load(tmp_path / "out.exr")[0, 0, 0] == 65504
