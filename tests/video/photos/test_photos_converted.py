"""Photos that are converted to another format, rotated photos, and requests that photos cannot fulfil."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from tests.support import photos
from tests.support.clips import Clip, make_clip, read_number
from vidrestore.errors import OutputError, UsageError

LOSSY = {"jpg", "heic", "avif"}


def restore(source: Path, name: str, **settings: Any) -> tuple[Path, tuple[str, ...]]:
    target = source.with_name(name)
    return target, tuple(photos.convert(source, target, **settings))


def off(one: Path, other: Path, mode: str = "RGB") -> float:
    """Mean difference of two photos as they are shown."""
    original, result = photos.shown(one, mode).astype(int), photos.shown(other, mode)
    assert original.shape == result.shape
    return float(np.abs(original - result).mean())


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("kind", "wanted"),
    [("jpg", "jpg"), ("png", "png"), ("tif", "tif"), ("webp", "webp"), ("jpg", "png"), ("png", "jpg"),
     ("tif", "webp"), ("webp", "tif"), ("jpg", "heic"), ("avif", "avif"), ("avif", "png")],
)  # fmt: skip
def test_a_turned_photo_is_turned_once(tmp_path: Path, kind: str, wanted: str, orientation: int) -> None:
    options = {"quality": 95} if kind in ("jpg", "webp", "avif") else {}
    source = photos.save(tmp_path / f"in.{kind}", photos.smooth(3), orientation=orientation, **options)
    target, warnings = restore(source, f"out.{wanted}")
    assert warnings == ()
    assert off(source, target) < (5.0 if LOSSY & {kind, wanted} or kind == "webp" else 0.01)


@pytest.mark.parametrize("kind", ["jpg", "png", "tif", "webp", "heic", "avif"])
@pytest.mark.parametrize("wanted", ["jpg", "png", "tif", "webp", "heic", "avif"])
def test_a_converted_photo_keeps_exif_xmp_and_profile(tmp_path: Path, kind: str, wanted: str) -> None:
    beside = {"xmp": photos.XMP} if kind == "png" else {}
    source = photos.save(tmp_path / f"in.{kind}", photos.smooth(3), **beside)
    target, warnings = restore(source, f"out.{wanted}")
    assert warnings == ()
    with Image.open(target) as after:
        assert after.info["icc_profile"] == photos.ICC
        assert after.getexif()[0x010F] == "Camera"
        assert after.getexif().get_ifd(0x8769)[0x9003] == "2024:05:01 10:00:00"
        assert after.getexif().get_ifd(0x8825)[1] == "N"
        if kind != "png":  # Pillow writes no XMP into PNG
            assert bytes(after.info["xmp"]).rstrip(b"\0") == photos.XMP


def test_notes_that_have_no_place_in_another_kind_are_named(tmp_path: Path) -> None:
    source = photos.save(tmp_path / "in.jpg", photos.smooth(3), comment=b"a note")
    _, (warning,) = restore(source, "out.png")
    assert warning == "of in.jpg .png cannot hold: a comment"


@pytest.mark.parametrize("grid", [False, True])
@pytest.mark.parametrize("wanted", ["png", "jpg", "heic", "webp"])
def test_heic_is_restored_whole(tmp_path: Path, grid: bool, wanted: str) -> None:
    source = tmp_path / "in.heic"
    large = photos.picture(photos.smooth(3)).resize((700, 620))
    large.save(source, quality=90, **({"tile_size": 256} if grid else {}))
    target, warnings = restore(source, f"out.{wanted}")
    assert warnings == ()
    assert off(source, target) < 2.0


def test_ten_bits_of_heic_become_sixteen_of_png(tmp_path: Path) -> None:
    source = tmp_path / "in.heic"
    original = photos.smooth(3, "uint16")
    size = (photos.WIDTH, photos.HEIGHT)
    result = pillow_heif.from_bytes(mode="RGB;16", size=size, data=original.tobytes())
    result.save(source, quality=-1, matrix_coefficients=0, chroma=444)
    target, warnings = restore(source, "out.png")
    assert warnings == ()
    stored = photos.look_16(target)
    assert stored.dtype == np.uint16
    assert np.abs(stored.astype(int) - original).max() <= 1 << 7
    _, (warning,) = restore(source, "out.jpg")
    assert "more than 8 bits" in warning


def test_hdr_is_stated_in_png_and_named_elsewhere(tmp_path: Path) -> None:
    source = tmp_path / "in.heic"
    size = (photos.WIDTH, photos.HEIGHT)
    result = pillow_heif.from_bytes(mode="RGB;16", size=size, data=photos.smooth(3, "uint16").tobytes())
    result.save(source, quality=-1, color_primaries=9, transfer_characteristics=16)
    target, warnings = restore(source, "out.png")
    assert warnings == ()
    assert photos.chunks_of(target)[b"cICP"] == bytes([9, 16, 0, 1])
    _, (warning,) = restore(source, "out.tif")
    assert "HDR or wide colour" in warning


def test_avif_in_tiles_is_restored_whole(tmp_path: Path) -> None:
    source = tmp_path / "in.avif"
    large = photos.picture(photos.smooth(3)).resize((700, 620))
    large.save(source, quality=90)
    target, warnings = restore(source, "out.png")
    assert warnings == ()
    assert off(source, target) < 1.5


@pytest.mark.parametrize("suffix", [".heic", ".avif"])
def test_a_photo_of_tiles_makes_no_video(tmp_path: Path, suffix: str) -> None:
    source = photos.save(tmp_path / f"in{suffix}", photos.smooth(3))
    with pytest.raises(UsageError, match=r"is a photo; .*\.jpg, \.png or \.heic"):
        restore(source, "out.mp4")


def test_the_requested_quality_of_a_photo_is_used(tmp_path: Path) -> None:
    source = photos.save(tmp_path / "in.jpg", photos.smooth(3), quality=95)
    for wanted in ("jpg", "webp", "heic", "avif"):
        low, _ = restore(source, f"low.{wanted}", quality=20)
        high, _ = restore(source, f"high.{wanted}", quality=95)
        assert low.stat().st_size < 0.9 * high.stat().st_size
    with Image.open(tmp_path / "low.jpg") as low_jpeg:
        assert low_jpeg.quantization[0][0] > 30


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("out.jpg", {"crf": 20}, "--crf is for videos, not for .jpg pictures; use --quality"),
        ("out.png", {"crf": 20}, "--crf is for videos, not for .png pictures; leave it out"),
        ("out.exr", {"crf": 20}, "--crf is for videos, not for .exr pictures; leave it out"),
        ("out.exr", {"preset": "slow"}, "--preset is for videos"),
        ("out.jpg", {"preset": "slow"}, "--preset is for videos"),
        ("out.png", {"quality": 90}, "lose nothing, at any quality; leave --quality out"),
        ("out.jpg", {"codec": "h264"}, "encoded by mjpeg; leave --codec out"),
    ],
)
def test_settings_that_do_not_apply_to_a_picture_are_refused(
    tmp_path: Path, name: str, settings: dict[str, Any], words: str
) -> None:
    source = photos.save(tmp_path / "in.png", photos.smooth(3))
    with pytest.raises(UsageError) as raised:
        restore(source, name, **settings)
    assert words in str(raised.value)


def test_quality_is_not_for_videos(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "in.mp4", Clip(frames=2))
    with pytest.raises(UsageError, match=r"--quality is for JPEG.* use --crf"):
        restore(source, "out.mp4", quality=90)


@pytest.mark.parametrize("channels", [2, 4])
def test_transparency_is_refused_for_jpeg(tmp_path: Path, channels: int) -> None:
    source = photos.save(tmp_path / "in.png", photos.smooth(channels))
    with pytest.raises(OutputError, match=r"transparent places, which \.jpg cannot hold"):
        restore(source, "out.jpg")
    opaque = photos.smooth(channels)
    opaque[..., -1] = 255
    source = photos.save(tmp_path / "opaque.png", opaque)
    target, warnings = restore(source, "out.jpg")
    assert warnings == ()
    assert off(source, target) < 2


def test_transparency_in_a_later_picture_of_a_sequence_is_refused_for_jpeg(tmp_path: Path) -> None:
    for number, alpha in ((1, 255), (2, 60)):
        samples = photos.smooth(4)
        samples[..., 3] = alpha
        photos.save(tmp_path / f"{number}.png", samples)
    with pytest.raises(OutputError, match=r"2\.png has transparent places, which \.jpg cannot hold"):
        photos.convert(tmp_path / "%d.png", tmp_path / "out%d.jpg")


def test_an_animation_does_not_become_a_photo(tmp_path: Path) -> None:
    pages = [photos.picture(photos.smooth(3, seed=seed)) for seed in (1, 2, 3)]
    pages[0].save(tmp_path / "in.png", save_all=True, append_images=pages[1:], duration=100)
    with pytest.raises(UsageError, match=r"is one picture, and .* has more"):
        restore(tmp_path / "in.png", "out.png")


def test_a_video_may_have_a_name_with_a_number_pattern(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "in.mp4", Clip(frames=3))
    target, _ = restore(source, "100%d.mp4")
    assert target.is_file()
    again, _ = restore(target, "200%05d.mkv")
    assert again.is_file()


def test_a_video_frame_keeps_its_colours_in_a_photo(tmp_path: Path) -> None:
    """JPEG and WebP have colours of their own: limited range or BT.709 must not be taken for them."""
    clip = Clip(frames=1, size=(1280, 720), colour=(1, 1, 1, 1))
    source = make_clip(tmp_path / "in.mp4", clip)
    lossless, _ = restore(source, "out.png")
    for kind in ("jpg", "webp"):
        target, warnings = restore(source, f"out.{kind}")
        assert warnings == ()
        assert off(lossless, target) < 3
        assert read_number(photos.shown(target)[..., 1]) == 0


@pytest.mark.parametrize("kind", ["jpg", "webp", "avif"])
def test_the_chroma_of_photos_is_centred(tmp_path: Path, kind: str) -> None:
    """AVIF's was shifted by half a sample: 2.9 codes on the mean."""
    source = photos.save(tmp_path / f"in.{kind}", photos.smooth(3), quality=90)
    target, _ = restore(source, "out.png")
    assert off(source, target) < 1
