"""Photos that are cut short, have a foreign name, hold more than a picture, or move."""

from __future__ import annotations

import random
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support import photos
from vidrestore.cli import main
from vidrestore.errors import InputError, VidrestoreError
from vidrestore.video import open_input, probe, read_frames
from vidrestore.video.photos import tags, tiff
from vidrestore.video.photos.photo import open_photo


def _damaged(path: Path) -> int:
    """Number of frames whose damage is noticed."""
    input, found = open_input(path), 0

    def add() -> None:
        nonlocal found
        found += 1

    for _ in read_frames(input, probe(input), on_lost=add, on_concealed=add):
        pass
    return found


def _noisy() -> photos.Samples:
    rng = np.random.default_rng(0)
    samples = photos.smooth(3).astype(int)
    return np.clip(samples + rng.integers(-20, 20, samples.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.995])
def test_a_jpeg_that_is_cut_short_is_damaged(tmp_path: Path, share: float, progressive: bool) -> None:
    file = photos.encoded(_noisy(), "JPEG", progressive=progressive, quality=90)
    (tmp_path / "whole.jpg").write_bytes(file)
    (tmp_path / "cut.jpg").write_bytes(file[: int(len(file) * share)])
    assert _damaged(tmp_path / "whole.jpg") == 0
    assert _damaged(tmp_path / "cut.jpg") == 1


def test_a_jpeg_with_all_samples_but_no_end_is_whole(tmp_path: Path) -> None:
    file = photos.encoded(_noisy(), "JPEG")
    (tmp_path / "in.jpg").write_bytes(file.removesuffix(b"\xff\xd9") + bytes(2))
    assert _damaged(tmp_path / "in.jpg") == 0


def test_the_damage_of_a_photo_is_in_the_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = photos.encoded(_noisy(), "JPEG")
    (tmp_path / "in.jpg").write_bytes(file[: len(file) // 2])
    words = ["restore", str(tmp_path / "in.jpg"), str(tmp_path / "out.jpg"), "--quiet"]
    assert main([*words, "--strict"]) == 2
    assert not (tmp_path / "out.jpg").exists()
    assert main(words) == 3
    assert "1 of 1 frames" in capsys.readouterr().err


def test_one_photo_of_a_sequence_that_is_cut_short_is_damaged(tmp_path: Path) -> None:
    file = photos.encoded(_noisy(), "JPEG")
    for number in range(3):
        (tmp_path / f"{number}.jpg").write_bytes(file[: len(file) // 2] if number == 1 else file)
    assert _damaged(tmp_path / "%d.jpg") == 1


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("pictures", [1, 5])
def test_a_gif_that_is_cut_short_is_damaged(tmp_path: Path, pictures: int, share: float) -> None:
    first, *others = [Image.fromarray(np.roll(_noisy(), 7 * n, axis=1)) for n in range(pictures)]
    first.save(tmp_path / "whole.gif", save_all=True, append_images=others, duration=100)
    file = (tmp_path / "whole.gif").read_bytes()
    (tmp_path / "cut.gif").write_bytes(file[: int(len(file) * share)])
    assert _damaged(tmp_path / "whole.gif") == 0
    assert _damaged(tmp_path / "cut.gif") == 1


@pytest.mark.parametrize("name", ["photo", "photo.jpg_large", "photo.mp4", "photo.png"])
@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "heic"])
def test_a_photo_is_known_by_its_content_whatever_its_name(tmp_path: Path, kind: str, name: str) -> None:
    source = photos.save(tmp_path / f"in.{kind}", photos.smooth(3), orientation=6).rename(tmp_path / name)
    photos.convert(source, tmp_path / f"out.{kind}")
    with photos.Image.open(tmp_path / f"out.{kind}") as result:
        assert result.info.get("icc_profile") == photos.ICC
        assert result.getexif()[0x010F] == "Camera"
    assert photos.shown(tmp_path / f"out.{kind}").shape == (photos.WIDTH, photos.HEIGHT, 3)


def test_the_video_of_a_motion_photo_is_named(tmp_path: Path) -> None:
    for kind, format in (("jpg", "JPEG"), ("png", "PNG"), ("webp", "WEBP")):
        file = photos.encoded(photos.smooth(3), format)
        source, target = tmp_path / f"in.{kind}", tmp_path / f"out.{kind}"
        source.write_bytes(file + bytes(64))
        assert photos.convert(source, target) == []
        source.write_bytes(file + b"\0\0\0\x18ftypmp42" * 9)
        target.unlink()
        (warning,) = photos.convert(source, target)
        assert "data after the picture" in warning


def test_the_video_in_a_heic_is_named(tmp_path: Path) -> None:
    source = photos.save(tmp_path / "in.heic", photos.smooth(3))
    with source.open("ab") as file:
        file.write(b"\0\0\0\x18mpvd" + b"\0\0\0\x10ftypmp42\0\0\0\0")
    (warning,) = photos.convert(source, tmp_path / "out.heic")
    assert "motion" in warning


def test_an_animated_avif_is_refused(tmp_path: Path) -> None:
    first, *others = [Image.fromarray(np.roll(photos.smooth(3), 7 * n, axis=1)) for n in range(3)]
    first.save(tmp_path / "in.avif", save_all=True, append_images=others, duration=100)
    for name in ("out.avif", "out.mp4"):
        with pytest.raises(InputError, match="animation of 3 pictures"):
            photos.convert(tmp_path / "in.avif", tmp_path / name)


def test_the_message_of_a_damaged_heic_is_one_line(tmp_path: Path) -> None:
    file = photos.encoded(photos.smooth(4), "HEIF", quality=90)
    source = tmp_path / "in.heic"
    source.write_bytes(file[: len(file) * 2 // 3])
    with pytest.raises(InputError) as raised:
        photos.convert(source, tmp_path / "out.png")
    assert str(raised.value).isprintable()
    assert "damaged or cut short" in str(raised.value)


def test_a_tiff_whose_second_page_is_damaged_gives_its_first_one(tmp_path: Path) -> None:
    first, second = (photos.picture(photos.smooth(3, seed=seed)) for seed in (1, 2))
    source = tmp_path / "in.tif"
    first.save(source, save_all=True, append_images=[second])
    expected = photos.shown(source)
    file = source.read_bytes()
    alone = len(photos.encoded(photos.smooth(3), "TIFF"))
    found = set()
    for end in range(alone + 7, alone + 110, 3):  # in its directory of tags
        source.write_bytes(file[:end])
        (warning,) = photos.convert(source, tmp_path / f"{end}.tif")
        found.add(warning.partition("further page")[2])
        assert np.array_equal(photos.shown(tmp_path / f"{end}.tif"), expected)
    assert any(words.startswith("s, which are damaged") for words in found)
    assert all(found)


def test_a_damaged_photo_gives_a_message_whatever_is_damaged(tmp_path: Path) -> None:
    rng, kinds = random.Random(0), ("AVIF", "HEIF", "TIFF", "PNG", "WEBP", "JPEG")
    samples = _noisy()[:64, :64]
    second = photos.picture(np.roll(samples, 5, axis=1))
    refused = 0
    for kind in kinds:
        options = {"save_all": True, "append_images": [second]} if kind == "TIFF" else {}
        whole = photos.encoded(samples, kind, **options)
        for number in range(60):
            file = bytearray(whole)
            for _ in range(rng.choice((1, 3, 10))):
                file[rng.randrange(min(len(file), 400))] = rng.randrange(256)
                file[-rng.randrange(1, 300)] = rng.randrange(256)
            source = tmp_path / f"{number}.{kind.lower()}"
            source.write_bytes(file)
            try:
                for _ in read_frames(input := open_input(source), probe(input)):
                    pass
            except VidrestoreError:
                refused += 1
    assert refused > len(kinds)


def bomb(kind: bytes) -> bytes:
    """A PNG of 100 KB that holds a profile or a text of 100 MB."""
    packed = zlib.compress(bytes(100_000_000))
    body = {b"iCCP": b"x\0\0", b"zTXt": b"x\0\0", b"iTXt": b"x\0\1\0\0\0"}[kind] + packed
    file = photos.encoded(photos.smooth(3), "PNG")
    return file[:33] + photos.chunk(kind, body) + file[33:]


@pytest.mark.parametrize("kind", [b"iCCP", b"zTXt", b"iTXt"])
def test_a_png_that_unpacks_to_a_hundred_megabytes_is_refused(tmp_path: Path, kind: bytes) -> None:
    source = tmp_path / "in.png"
    source.write_bytes(bomb(kind))
    with pytest.raises(InputError, match="more than 64 MB unpacked"):
        photos.convert(source, tmp_path / "out.png")
    source.rename(tmp_path / "in.mp4")
    with pytest.raises(InputError, match="more than 64 MB unpacked"):
        photos.convert(tmp_path / "in.mp4", tmp_path / "out.png")


def test_one_oversized_png_of_a_sequence_counts_as_damage(tmp_path: Path) -> None:
    for number in range(3):
        content = bomb(b"zTXt") if number == 1 else photos.encoded(photos.smooth(3), "PNG")
        (tmp_path / f"{number}.png").write_bytes(content)
    assert _damaged(tmp_path / "%d.png") == 1


@pytest.mark.parametrize("order", ["<", ">"])
def test_tags_that_point_to_the_same_bytes_need_no_more_memory_than_the_file(
    tmp_path: Path, order: tags.ByteOrder
) -> None:
    own = {65000: tags.opaque(bytes(500_000)), tiff.ORIENTATION: tags.numbers(order, tags.SHORT, 1)}
    file = tiff.encode(photos.smooth(3), order, own, extra=2, compressed=False)
    (at,) = struct.unpack_from(f"{order}I", file, 4)
    (count,) = struct.unpack_from(f"{order}H", file, at)
    entries = [file[at + 2 + 12 * number :][:12] for number in range(count)]
    (large,) = (entry for entry in entries if struct.unpack_from(f"{order}H", entry) == (65000,))
    entries += [struct.pack(f"{order}H", 65001 + number) + large[2:] for number in range(200)]
    head = file[:4] + struct.pack(f"{order}I", len(file)) + file[8:] + struct.pack(f"{order}H", len(entries))
    source = tmp_path / "in.tif"
    source.write_bytes(head + b"".join(entries) + bytes(4))
    tracemalloc.start()
    try:
        photo = open_photo(source)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10 * source.stat().st_size
    assert photo is not None
    found = tags.read(photo.exif or b"")[1]
    assert found[65000].data == bytes(500_000)
    assert tiff.ORIENTATION in found
    assert 65001 not in found
    photos.convert(source, tmp_path / "out.tif")
    assert photos.shown(tmp_path / "out.tif", "RGB").tolist() == photos.smooth(3).tolist()


@pytest.mark.parametrize("kind", ["png", "tif"])
def test_a_colour_profile_that_is_kept_gives_no_warning(tmp_path: Path, kind: str) -> None:
    grey = photos.ICC[:16] + b"GRAY" + photos.ICC[20:]
    source = photos.save(tmp_path / f"in.{kind}", photos.smooth(3), icc_profile=grey)
    assert photos.convert(source, tmp_path / f"out.{kind}") == []
    with Image.open(tmp_path / f"out.{kind}") as result:
        assert result.info["icc_profile"] == grey
