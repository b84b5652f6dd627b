"""Animations in (GIF, APNG, animated WebP) and out, as videos that play anywhere or as what they were."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import vidrestore
from vidrestore.errors import InputError, UsageError
from vidrestore.types import Frame
from vidrestore.video import make_writer, open_video, read_frames

KINDS = ("gif", "apng", "webp")
DURATIONS = (100, 40, 250, 100, 70, 100)
"""Milliseconds."""
TIMES = [Fraction(sum(DURATIONS[:number]), 1000) for number in range(len(DURATIONS))]


def _picture(number: int, size: tuple[int, int], *, hole: bool) -> Image.Image:
    width, height = size
    rgba = np.zeros((height, width, 4), np.uint8)
    rgba[..., 0] = np.linspace(0, 255, width, dtype=np.uint8)[None]
    rgba[..., 1] = np.linspace(0, 255, height, dtype=np.uint8)[:, None]
    rgba[..., 2], rgba[..., 3] = 40 * number, 255
    if hole:
        rgba[height // 4 : height // 2, width // 4 : width // 2] = 0
    return Image.fromarray(rgba, "RGBA")


def _animation(path: Path, size: tuple[int, int] = (96, 64), *, hole: bool = False) -> Path:
    first, *others = [_picture(number, size, hole=hole) for number in range(len(DURATIONS))]
    if path.suffix == ".gif" and not hole:
        first, *others = [picture.convert("RGB") for picture in (first, *others)]
    kind = {".gif": "GIF", ".apng": "PNG", ".png": "PNG", ".webp": "WEBP"}[path.suffix]
    options = {"lossless": True} if kind == "WEBP" else {"disposal": 2} if kind == "GIF" else {}
    first.save(path, kind, save_all=True, append_images=others, duration=list(DURATIONS), loop=0, **options)
    return path


def _convert(source: Path, target: Path, codec: str = "match") -> list[str]:
    """The warnings of writing the animation again, as it is."""
    opened = open_video(source)
    writer = make_writer(
        target, opened.output_info, source=opened.input, side_data=opened.side_data, codec=codec
    )
    with writer:
        for frame in read_frames(opened.input, opened.info):
            writer.write(frame)
    return writer.warnings


def _frames(path: Path) -> list[Frame]:
    opened = open_video(path)
    return list(read_frames(opened.input, opened.info))


def _times(path: Path) -> list[Fraction]:
    return [frame.pts * frame.time_base for frame in _frames(path)]


def _stream(path: Path) -> tuple[str, str]:
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        return context.name, str(context.pix_fmt)


def _shown(path: Path, number: int) -> NDArray[np.uint8]:
    """(H, W, 3) as a player shows it."""
    with av.open(str(path)) as container:
        for index, picture in enumerate(container.decode(video=0)):
            if index == number:
                return picture.to_ndarray(format="rgb24")
    raise AssertionError(number)


@pytest.mark.parametrize("kind", KINDS)
def test_frames_come_at_their_own_times(tmp_path: Path, kind: str) -> None:
    frames = _frames(_animation(tmp_path / f"in.{kind}"))
    assert [frame.pts * frame.time_base for frame in frames] == TIMES
    blue = [int(np.median(frame.planes[1])) for frame in frames]
    assert blue == pytest.approx([40 * number for number in range(6)], abs=20)


@pytest.mark.parametrize("size", [(96, 64), (97, 63)], ids=["even", "odd"])
@pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.mkv"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_animation_becomes_a_video_that_plays_anywhere(
    tmp_path: Path, kind: str, name: str, size: tuple[int, int]
) -> None:
    source = _animation(tmp_path / f"in.{kind}", size)
    _convert(source, tmp_path / name)
    assert _stream(tmp_path / name) == ("h264", "yuv420p")
    assert _times(tmp_path / name) == TIMES
    shown = _shown(tmp_path / name, 3)[: size[1], : size[0]]
    original = np.asarray(_picture(3, size, hole=False))[..., :3]
    assert np.abs(shown.astype(int) - original).mean() < 8
    assert shown.shape == original.shape


@pytest.mark.parametrize("kind", KINDS)
def test_transparent_pixels_become_white_where_alpha_cannot_be_kept(tmp_path: Path, kind: str) -> None:
    source = _animation(tmp_path / f"in.{kind}", hole=True)
    warnings = _convert(source, tmp_path / "out.mp4")
    assert [w for w in warnings if "white" in w and ".webm" in w]
    assert _shown(tmp_path / "out.mp4", 2)[24, 36].min() > 240
    assert [w for w in _convert(source, tmp_path / "out.webm") if "white" in w] == []
    frame = _frames(tmp_path / "out.webm")[2]
    assert frame.format.has_alpha
    assert frame.planes[-1][24, 36] < 20
    assert frame.planes[-1][50, 80] > 240


@pytest.mark.parametrize("kind", KINDS)
def test_transparency_that_begins_after_the_first_picture_is_kept_or_named(tmp_path: Path, kind: str) -> None:
    source = tmp_path / f"in.{kind}"
    first, *others = [_picture(number, (96, 64), hole=number > 0) for number in range(3)]
    options = {"webp": {"lossless": True}, "gif": {"disposal": 2}, "apng": {"blend": 0}}[kind]
    form = {"apng": "PNG"}.get(kind, kind.upper())
    first.save(source, form, save_all=True, append_images=others, duration=100, **options)
    assert [warning for warning in _convert(source, tmp_path / "out.mp4") if "became white" in warning]
    _convert(source, tmp_path / "out.webm")
    assert _frames(tmp_path / "out.webm")[2].planes[-1][24, 36] < 20


@pytest.mark.parametrize("hole", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_an_animation_becomes_a_gif(tmp_path: Path, kind: str, hole: bool) -> None:
    source = _animation(tmp_path / f"in.{kind}", hole=hole)
    _convert(source, tmp_path / "out.gif")
    with Image.open(tmp_path / "out.gif") as result:
        assert getattr(result, "n_frames", 1) == 6
        assert result.info.get("loop") == 0
    assert _times(tmp_path / "out.gif") == TIMES
    shown = _frames(tmp_path / "out.gif")[3]
    green, blue, red, alpha = (plane.astype(int) for plane in shown.planes)
    original = np.asarray(_picture(3, (96, 64), hole=hole)).astype(int)
    solid = original[..., 3] > 0
    error = np.abs(np.stack([red, green, blue], 2) - original[..., :3])[solid]
    assert error.mean() < 12
    assert (alpha[~solid] == 0).all()


@pytest.mark.parametrize("plays", [0, 1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_the_loop_count_of_an_animation_is_kept_or_named(tmp_path: Path, kind: str, plays: int) -> None:
    pictures = [_picture(number, (96, 64), hole=kind == "apng") for number in range(3)]
    # Pillow writes for GIF how often it is repeated; without `loop` it is shown once.
    loop = {} if kind == "gif" and plays == 1 else {"loop": plays - 1 if kind == "gif" and plays else plays}
    format = {"gif": "GIF", "apng": "PNG", "webp": "WEBP"}[kind]
    source = tmp_path / f"in.{kind}"
    pictures[0].save(source, format, save_all=True, append_images=pictures[1:], duration=80, **loop)
    named = "how often the animation is shown" in " ".join(_convert(source, tmp_path / "out.mp4"))
    assert named == (plays != 1)
    assert "how often" not in " ".join(_convert(source, tmp_path / "out.gif"))
    with Image.open(tmp_path / "out.gif") as result:
        assert result.info.get("loop") == {0: 0, 1: None, 3: 2}[plays]
    if kind == "apng":
        _convert(source, tmp_path / "out.apng")
        with Image.open(tmp_path / "out.apng") as result:
            assert result.info["loop"] == plays


def test_a_video_becomes_a_gif(tmp_path: Path) -> None:
    _convert(_animation(tmp_path / "in.gif"), tmp_path / "in.mp4")
    _convert(tmp_path / "in.mp4", tmp_path / "out.gif")
    assert _stream(tmp_path / "out.gif")[0] == "gif"
    assert _times(tmp_path / "out.gif") == TIMES


def test_apng_stays_apng(tmp_path: Path) -> None:
    source = _animation(tmp_path / "in.apng", hole=True)
    _convert(source, tmp_path / "out.apng")
    original, result = _frames(source), _frames(tmp_path / "out.apng")
    for one, other in zip(original, result, strict=True):
        for before, after in zip(one.planes, other.planes, strict=True):
            np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("name", ["out.png", "out.jpg", "out.webp", "out.tif", "out.bmp", "out.exr"])
@pytest.mark.parametrize("kind", [*KINDS, "png"])
def test_one_picture_of_an_animation_is_refused_before_the_work(tmp_path: Path, kind: str, name: str) -> None:
    source = _animation(tmp_path / f"in.{kind}")
    opened = open_video(source)
    with pytest.raises(UsageError, match="is one picture, and"):
        make_writer(
            tmp_path / name,
            opened.output_info,
            source=opened.input,
            side_data=opened.side_data,
            codec="match",
        )


@pytest.mark.parametrize("kind", KINDS)
def test_an_animation_cut_short_is_no_defect(tmp_path: Path, kind: str) -> None:
    source = _animation(tmp_path / f"in.{kind}")
    source.write_bytes(source.read_bytes()[:-200])
    try:
        frames = _frames(source)
    except InputError:
        return
    assert 1 <= len(frames) <= 6


def test_a_gif_is_restored(tmp_path: Path) -> None:
    report = vidrestore.restore(_animation(tmp_path / "in.gif"), tmp_path / "out.gif")
    assert (report.frames, report.damage) == (6, 0)


@pytest.mark.parametrize("name", ["out.apng", "out.gif", "out.mp4", "out.mkv"])
def test_parts_of_an_animation_besides_its_frames_are_named(tmp_path: Path, name: str) -> None:
    source, notes = tmp_path / "in.apng", PngInfo()
    notes.add_text("Comment", "of the author")
    pictures = [_picture(number, (96, 64), hole=False) for number in range(4)]
    how = {"save_all": True, "append_images": pictures[1:], "duration": 80}
    pictures[0].save(source, "PNG", default_image=True, pnginfo=notes, **how)
    assert len(_frames(source)) == 3
    (warning,) = [w for w in _convert(source, tmp_path / name) if "cannot hold" in w]
    assert "picture for viewers without animation" in warning
    assert "notes in an animation" in warning
    pictures[0].save(source, "PNG", **how)
    assert not [
        w for w in _convert(source, tmp_path / f"2{name}") if "without animation" in w or "notes" in w
    ]


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_exif_and_xmp_of_other_animations_are_named(tmp_path: Path, kind: str) -> None:
    source = tmp_path / f"in.{kind}"
    pictures = [_picture(number, (96, 64), hole=False) for number in range(4)]
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'></x:xmpmeta>"
    how = {"save_all": True, "append_images": pictures[1:], "duration": 80}
    pictures[0].save(source, **how, **({"xmp": xmp} if kind == "webp" else {}))
    if kind == "gif":
        file, block = source.read_bytes(), b"\x21\xff\x0bXMP DataXMP" + bytes([len(xmp)]) + xmp + b"\0"
        at = file.index(b"\x21\xf9")
        source.write_bytes(file[:at] + block + file[at:])
    assert [w for w in _convert(source, tmp_path / "out.mp4") if "notes in an animation" in w]


@pytest.mark.parametrize("name", ["in.webp", "in.gif", "in.mp4"])
def test_webp_gif_and_mp4_become_an_apng(tmp_path: Path, name: str) -> None:
    source = tmp_path / name
    if name == "in.mp4":
        _convert(_animation(tmp_path / "in.gif"), source)
    else:
        _animation(source, hole=True)
    _convert(source, tmp_path / "out.apng")
    assert _times(tmp_path / "out.apng") == TIMES
    original, result = _frames(source), _frames(tmp_path / "out.apng")
    if name == "in.mp4":
        assert np.abs(_shown(tmp_path / "out.apng", 3).astype(int) - _shown(source, 3)).mean() < 2
        return
    for one, other in zip(original, result, strict=True):
        for before, after in zip(one.planes, other.planes, strict=True):
            np.testing.assert_array_equal(before, after)
