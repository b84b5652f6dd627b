"""--mask: a grey picture for each frame, black where the frame is bit for bit as it was."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import vidrestore
from tests.support.films import make_film
from tests.support.footage import FACE, Footage, face_pictures, interlaced, make_footage
from tests.support.jobs import frames_of, names_in
from vidrestore.errors import OutputError, UsageError

CPU: dict[str, Any] = {"device": "cpu", "codec": "ffv1"}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four frames with a face, then two without."""
    return make_film(tmp_path_factory.mktemp("clip") / "in.mkv", 6, [range(4)])


def masks_of(path: Path) -> list[NDArray[Any]]:
    return [frame.planes[0] for frame in frames_of(path)]


def changed(before: Path, after: Path) -> list[NDArray[np.bool_]]:
    """Luma alone is enough to find a lie."""
    pairs = zip(frames_of(before), frames_of(after), strict=True)
    return [np.asarray(a.planes[0] != b.planes[0]) for a, b in pairs]


def test_black_is_unchanged_and_the_face_is_white(clip: Path, tmp_path: Path) -> None:
    report = vidrestore.restore(clip, tmp_path / "out.mkv", mask=str(tmp_path / "mask.mkv"), **CPU)
    assert report.faces > 0
    masks = masks_of(tmp_path / "mask.mkv")
    assert [mask.dtype for mask in masks] == [np.uint8] * 6
    for mask, differs in zip(masks, changed(clip, tmp_path / "out.mkv"), strict=True):
        assert not differs[mask == 0].any()
    x0, y0, x1, y1 = FACE
    middle = masks[1][(2 * y0 + y1) // 3 : (y0 + 2 * y1) // 3, (2 * x0 + x1) // 3 : (x0 + 2 * x1) // 3]
    assert middle.min() > 250
    assert masks[1][0, 0] == 0
    assert masks[5].max() == 0  # no face, nothing changed
    times = [
        [(f.pts * f.time_base, f.duration) for f in frames_of(tmp_path / n)] for n in ("out.mkv", "mask.mkv")
    ]
    assert times[0] == times[1]


def test_a_mask_has_only_a_video_stream_and_the_shape_of_the_output(tmp_path: Path) -> None:
    from tests.support.clips import Clip, make_clip

    source = make_clip(tmp_path / "in.mkv", Clip(frames=5, sounds=("aac",), rotation=90))
    vidrestore.restore(source, tmp_path / "out.mkv", mask=str(tmp_path / "mask.mkv"), **CPU)
    with av.open(str(tmp_path / "mask.mkv")) as container:
        assert [stream.type for stream in container.streams] == ["video"]
        (first, *_) = container.decode(video=0)
    with av.open(str(tmp_path / "out.mkv")) as container:
        (other, *_) = container.decode(video=0)
    assert (first.width, first.height, first.rotation) == (other.width, other.height, other.rotation)


def test_the_mask_of_a_10_bit_video_has_16_bits(tmp_path: Path) -> None:
    footage = Footage(pixel_format="yuv420p10le")
    source = make_footage(tmp_path / "in.mkv", face_pictures(2), footage)
    vidrestore.restore(source, tmp_path / "out.mkv", mask=str(tmp_path / "mask.mkv"), **CPU)
    masks = masks_of(tmp_path / "mask.mkv")
    assert [mask.dtype for mask in masks] == [np.uint16] * 2
    assert masks[0].max() == 65535
    assert len(np.unique(masks[0])) > 300


def test_strength_and_the_edge_are_grey(clip: Path, tmp_path: Path) -> None:
    vidrestore.restore(clip, tmp_path / "out.mkv", mask=str(tmp_path / "mask.mkv"), strength=0.5, **CPU)
    mask = masks_of(tmp_path / "mask.mkv")[1]
    assert 126 <= mask.max() <= 129
    assert ((mask > 5) & (mask < 120)).any()


def test_interlaced_video_has_a_mask_of_both_fields(tmp_path: Path) -> None:
    footage = Footage(field_order=2)
    source = make_footage(tmp_path / "in.mkv", interlaced(face_pictures(4)), footage)
    vidrestore.restore(
        source, tmp_path / "out.mkv", mask=str(tmp_path / "mask.mkv"), deinterlace="keep", **CPU
    )
    masks = masks_of(tmp_path / "mask.mkv")
    assert len(masks) == 2
    for mask, differs in zip(masks, changed(source, tmp_path / "out.mkv"), strict=True):
        assert not differs[mask == 0].any()
        assert mask.max() > 250


@pytest.mark.parametrize("name", ["mask-%03d.png", "mask-%03d.tif"])
def test_a_mask_may_be_an_image_sequence(name: str, clip: Path, tmp_path: Path) -> None:
    vidrestore.restore(clip, tmp_path / "out.mkv", mask=str(tmp_path / name), start=Fraction(1, 25), **CPU)
    pictures = sorted(tmp_path.glob("mask-*"))
    assert len(pictures) == len(frames_of(tmp_path / "out.mkv"))
    with av.open(str(pictures[0])) as container:
        (picture,) = container.decode(video=0)
        assert picture.format.name == "gray"
        assert picture.to_ndarray().max() > 250


@pytest.mark.parametrize(
    ("mask", "error", "says"),
    [
        ("mask.mp4", UsageError, "a mask is a .mkv"),
        ("mask.jpg", UsageError, "a mask is a .mkv"),
        ("out.mkv", OutputError, "the name of both the mask and the video"),
        ("in.mkv", OutputError, "the input itself"),
        ("there.mkv", OutputError, "exists already"),
        ("no/mask.mkv", OutputError, "does not exist"),
        ("-", UsageError, "needs files as input and output"),
    ],
)
def test_an_invalid_or_existing_mask_path_is_refused(
    mask: str, error: type[Exception], says: str, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in.mkv").write_bytes(clip.read_bytes())
    Path("there.mkv").write_bytes(b"mine")
    with pytest.raises(error, match=says):
        vidrestore.restore("in.mkv", "out.mkv", mask=mask, **CPU)
    assert names_in(tmp_path) == ["in.mkv", "there.mkv"]
    assert Path("there.mkv").read_bytes() == b"mine"


@pytest.mark.parametrize("mask", ["{here}/%d.png", "%05d.png", "../{name}/%05d.png"])
def test_a_mask_and_a_video_have_no_picture_in_common(
    mask: str, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mask = mask.format(here=tmp_path, name=tmp_path.name)
    with pytest.raises(OutputError, match="the name of both the mask and the video"):
        vidrestore.restore(clip, "%05d.png", mask=mask, **CPU)
    assert names_in(tmp_path) == []


def test_a_run_that_fails_leaves_no_mask(clip: Path, tmp_path: Path) -> None:
    def fail(progress: vidrestore.Progress) -> None:
        if progress.frames == 3:
            raise RuntimeError("the callback failed")

    with pytest.raises(RuntimeError):
        vidrestore.restore(
            clip, tmp_path / "out.mkv", mask=str(tmp_path / "mask.mkv"), on_progress=fail, **CPU
        )
    assert names_in(tmp_path) == []


def test_segments_are_refused_with_a_reason(clip: Path, tmp_path: Path) -> None:
    report = vidrestore.restore(clip, tmp_path / "out.mkv", mask=str(tmp_path / "mask.mkv"), segment=1, **CPU)
    assert report.warnings == ("in.mkv was restored in one go, not in segments: a mask is written as well",)
