"""A photo that becomes a photo of its own kind: samples, coding and all that is beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

import vidrestore
from tests.support import photos
from tests.support.shared import ROOT
from vidrestore.errors import InputError


def restore(source: Path, name: str, **settings: Any) -> tuple[Path, tuple[str, ...]]:
    target = source.with_name(name)
    return target, tuple(photos.convert(source, target, **settings))


@pytest.mark.parametrize("subsampling", ["4:2:0", "4:2:2", "4:4:4"])
@pytest.mark.parametrize(("quality", "progressive"), [(93, False), (70, True)])
def test_a_jpeg_keeps_its_quality_coding_and_metadata(
    tmp_path: Path, subsampling: str, quality: int, progressive: bool
) -> None:
    source = tmp_path / "in.jpg"
    original: dict[str, Any] = {"subsampling": subsampling, "quality": quality, "progressive": progressive}
    photos.save(source, photos.smooth(3), **original, comment=b"a note", dpi=(240, 240))
    target, warnings = restore(source, "out.jpg")
    assert warnings == ()
    with Image.open(source) as before, Image.open(target) as after:
        assert after.quantization == before.quantization
        assert [layer[1:3] for layer in after.layer] == [layer[1:3] for layer in before.layer]
        assert ("progressive" in after.info) is progressive
        for name in ("exif", "icc_profile", "xmp", "comment", "dpi"):
            assert after.info[name] == before.info[name], name
    assert target.stat().st_size < 1.1 * source.stat().st_size
    off = photos.shown(target).astype(int) - photos.shown(source)
    assert np.abs(off).mean() < 0.35
    assert np.abs(off).max() < 8


def test_a_grey_jpeg_stays_grey(tmp_path: Path) -> None:
    source = photos.save(tmp_path / "in.jpg", photos.smooth(1), quality=90)
    target, warnings = restore(source, "out.jpg")
    assert warnings == ()
    with Image.open(source) as before, Image.open(target) as after:
        assert (after.mode, after.quantization) == ("L", before.quantization)
    assert np.abs(photos.shown(target).astype(int) - photos.shown(source)).max() <= 2


def test_parts_of_a_jpeg_that_cannot_be_kept_are_named(tmp_path: Path) -> None:
    source = tmp_path / "in.jpg"
    file = photos.encoded(photos.smooth(3), "JPEG")
    more = (0xE2, b"MPF\0II*\0\x08\0\0\0"), (0xEB, b"JP\0\1jumb"), (0xED, b"Photoshop 3.0\0notes")
    source.write_bytes(photos.jpeg_with(file, *more))
    target, (warning,) = restore(source, "out.jpg")
    assert "gain map" in warning
    assert "content credentials" in warning
    assert b"Photoshop 3.0\0notes" in target.read_bytes()
    assert b"MPF\0" not in target.read_bytes()


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_an_8_bit_png_keeps_its_samples_and_its_chunks(tmp_path: Path, channels: int) -> None:
    source = photos.save(tmp_path / "in.png", photos.smooth(channels), dpi=(300, 300))
    data = source.read_bytes()
    notes = photos.chunk(b"tEXt", b"Author\0me") + photos.chunk(
        b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + photos.XMP
    )
    source.write_bytes(data[:33] + notes + data[33:])
    target, warnings = restore(source, "out.png")
    assert warnings == ()
    with Image.open(source) as before, Image.open(target) as after:
        assert after.mode == before.mode
        np.testing.assert_array_equal(np.asarray(after), np.asarray(before))
    kept, original = photos.chunks_of(target), photos.chunks_of(source)
    assert {kind: kept.get(kind) for kind in original if kind not in (b"IHDR", b"IDAT")} == {
        kind: body for kind, body in original.items() if kind not in (b"IHDR", b"IDAT")
    }


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_16_bits_stay_16_bits(tmp_path: Path, suffix: str, channels: int) -> None:
    source = photos.save_16(tmp_path / f"in{suffix}", photos.smooth(channels, "uint16"))
    target, warnings = restore(source, f"out{suffix}")
    assert warnings == ()
    result = photos.look_16(target)
    assert result.dtype == np.uint16
    np.testing.assert_array_equal(result, photos.look_16(source))


def test_a_16_bit_png_of_grey_with_alpha_stays_one(tmp_path: Path) -> None:
    from vidrestore.video.photos import png

    source = tmp_path / "in.png"
    original = photos.smooth(2, "uint16")
    source.write_bytes(png.encode(original))
    target, warnings = restore(source, "out.png")
    assert warnings == ()
    assert photos.chunks_of(target)[b"IHDR"] == photos.chunks_of(source)[b"IHDR"]
    np.testing.assert_array_equal(photos.look_16(target), photos.look_16(source))
    np.testing.assert_array_equal(photos.look_16(target)[..., 3], original[..., 1])


def test_a_palette_keeps_its_transparency(tmp_path: Path) -> None:
    source = tmp_path / "in.png"
    coloured = Image.fromarray(photos.smooth(3)).quantize(32)
    coloured.save(source, transparency=bytes([0, 128] + [255] * 30))
    target, warnings = restore(source, "out.png")
    assert warnings == ()
    np.testing.assert_array_equal(photos.shown(target, "RGBA"), photos.shown(source, "RGBA"))


@pytest.mark.parametrize("order", ["II", "MM"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_tiff_keeps_its_samples_and_its_tags(tmp_path: Path, channels: int, order: str) -> None:
    from vidrestore.video.photos import tags, tiff

    source = tmp_path / "in.tif"
    byte_order = "<" if order == "II" else ">"
    _, beside = tags.read(photos.exif()[6:])  # written by Pillow, little-endian or big-endian
    own = {65000: tags.numbers(byte_order, tags.SHORT, 7, 9), tiff.XMP: tags.opaque(photos.XMP, type=1)}
    if photos.exif()[6:8] == order.encode():
        own |= beside
    source.write_bytes(tiff.encode(photos.smooth(channels), byte_order, own, extra=2, compressed=False))
    target, warnings = restore(source, "out.tif")
    assert warnings == ()
    with Image.open(source) as before, Image.open(target) as after:
        np.testing.assert_array_equal(np.asarray(after), np.asarray(before))
        assert after.info["compression"] == "raw"
        assert after.tag_v2[65000] == (7, 9)
    assert tags.read(target.read_bytes())[1][tiff.XMP].data == photos.XMP
    if set(beside) <= set(own):
        assert photos.MAKER_NOTE in target.read_bytes()


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_deflate", "packbits"])
def test_a_compressed_tiff_of_pillow_comes_back_equal(tmp_path: Path, compression: str) -> None:
    source = photos.save(tmp_path / "in.tif", photos.smooth(3), compression=compression, dpi=(300, 300))
    target, warnings = restore(source, "out.tif")
    assert warnings == ()
    with Image.open(source) as before, Image.open(target) as after:
        np.testing.assert_array_equal(np.asarray(after), np.asarray(before))
        assert after.info["icc_profile"] == photos.ICC
        assert after.info["dpi"] == before.info["dpi"]
        assert after.tag_v2[0x010F] == "Camera"
        assert after.info["xmp"] == photos.XMP


def test_further_pages_of_a_tiff_are_named(tmp_path: Path) -> None:
    source = tmp_path / "in.tif"
    pages = [photos.picture(photos.smooth(3, seed=seed)) for seed in (1, 2, 3)]
    pages[0].save(source, save_all=True, append_images=pages[1:])
    target, (warning,) = restore(source, "out.tif")
    assert "2 further pages" in warning
    np.testing.assert_array_equal(photos.shown(target), np.asarray(pages[0]))


@pytest.mark.parametrize(("lossless", "channels"), [(True, 3), (True, 4), (False, 3)])
def test_a_webp_stays_lossless_or_lossy_and_keeps_its_metadata(
    tmp_path: Path, lossless: bool, channels: int
) -> None:
    source = photos.save(tmp_path / "in.webp", photos.smooth(channels), lossless=lossless, quality=90)
    target, warnings = restore(source, "out.webp")
    assert warnings == ()
    assert (b"VP8L" in target.read_bytes()) is lossless
    off = photos.shown(target, "RGBA").astype(int) - photos.shown(source, "RGBA")
    assert np.abs(off).max() == 0 if lossless else np.abs(off).mean() < 1.5
    with Image.open(source) as before, Image.open(target) as after:
        for name in ("exif", "icc_profile", "xmp"):
            assert after.info[name] == before.info[name], name


@pytest.mark.parametrize("kind", ["png", "tif"])
def test_away_from_faces_a_lossless_photo_is_the_same_bit_for_bit(tmp_path: Path, kind: str) -> None:
    vidrestore.restore(ROOT / "samples" / "old_film.mp4", tmp_path / "%d.png", end=0.03, strength=0)
    source = tmp_path / f"in.{kind}"
    with Image.open(tmp_path / "1.png") as still:
        still.convert("RGB").save(source)
    target = tmp_path / f"out.{kind}"
    assert vidrestore.restore(source, target).faces > 0
    changed = (photos.shown(source) != photos.shown(target)).any(axis=-1)
    assert 0.005 < changed.mean() < 0.3
    rows, columns = np.nonzero(changed)
    outside = np.ones_like(changed)
    outside[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = False
    assert outside.mean() > 0.3


def test_a_sequence_of_photos_keeps_what_each_holds(tmp_path: Path) -> None:
    for number in (1, 2):
        photos.save(tmp_path / f"in{number}.jpg", photos.smooth(3, seed=number), quality=60 + 10 * number)
    warnings = vidrestore.restore(tmp_path / "in%d.jpg", tmp_path / "out%d.jpg").warnings
    assert warnings == ()
    for number in (1, 2):
        with (
            Image.open(tmp_path / f"in{number}.jpg") as before,
            Image.open(tmp_path / f"out{number}.jpg") as after,
        ):
            assert after.quantization == before.quantization
            assert after.info["exif"] == before.info["exif"]


@pytest.mark.parametrize(("mode", "words"), [("CMYK", "CMYK"), ("F", "floating point"), ("LAB", "Lab")])
def test_unsupported_colour_modes_are_refused_with_advice(tmp_path: Path, mode: str, words: str) -> None:
    source = tmp_path / "in.tif"
    grey = Image.fromarray(photos.smooth(1)[..., 0])
    (grey.convert("F") if mode == "F" else Image.new(mode, (64, 64))).save(source)
    with pytest.raises(InputError, match=f"{words}.*convert it to RGB"):
        restore(source, "out.tif")


def test_a_damaged_photo_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "in.heic"
    source.write_bytes(b"\0\0\0\x18ftypheic" + b"\0" * 200)
    with pytest.raises(InputError):
        restore(source, "out.png")
    assert cv2.imread(str(tmp_path / "out.png")) is None
