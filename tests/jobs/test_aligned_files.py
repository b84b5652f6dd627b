"""Files of aligned faces: each picture is restored as a whole, and the output is of the input's kind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import vidrestore
from tests.support import photos
from vidrestore.cli import main
from vidrestore.errors import InputError, OutputError, UsageError
from vidrestore.jobs.aligned_files import restore_aligned_files
from vidrestore.jobs.batch import restore_folder
from vidrestore.jobs.segment_task import restorer_for
from vidrestore.settings import Settings

Samples = NDArray[Any]
EVIDENCE = Settings(aligned=True, fidelity=1, device="cpu")
"""The evidence network alone, which is fast at small sizes."""


@pytest.fixture(autouse=True, scope="module")
def networks_loaded_once() -> Iterator[None]:
    yield
    restorer_for.cache_clear()


def face(side: int, seed: int = 0, dtype: str = "uint8") -> Samples:
    """(S, S, 3) noisy soft colours."""
    rng = np.random.default_rng(seed)
    soft = cv2.resize(rng.random((5, 5, 3)), (side, side), interpolation=cv2.INTER_CUBIC)
    noisy = np.clip(0.1 + 0.8 * soft + rng.normal(0, 0.06, soft.shape), 0, 1)
    return np.rint(noisy * np.iinfo(dtype).max).astype(dtype)


def save(path: Path, samples: Samples) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(samples).save(path)
    return path


def stored(path: Path) -> Samples:
    with Image.open(path) as picture:
        return np.asarray(picture)


@pytest.mark.parametrize("side", [16, 48, 77])
def test_a_picture_of_any_side_is_what_the_restorer_makes_of_it(side: int, tmp_path: Path) -> None:
    picture = face(side)
    report = restore_aligned_files(save(tmp_path / "a.png", picture), tmp_path / "b.png", EVIDENCE)
    with vidrestore.Restorer(device="cpu", fidelity=1) as restorer:
        (expected,) = restorer.aligned([picture])
    assert np.array_equal(stored(tmp_path / "b.png"), expected)
    assert not np.array_equal(expected, picture)
    assert (report.frames, report.faces, report.tracks) == (1, 1, 1)
    assert report.drawn[0].mean == 0


def test_the_padding_of_an_odd_side_does_not_reach_far(tmp_path: Path) -> None:
    """A cut at the right and at the bottom changes the estimate near that edge only."""
    picture = face(80)
    with vidrestore.Restorer(device="cpu", fidelity=1) as restorer:
        whole, cut = restorer.aligned([picture, picture[:77, :77]])
    far = np.abs(whole[:20, :20].astype(int) - cut[:20, :20]).max()
    assert far <= 3


def test_at_fidelity_0_a_restored_picture_is_entirely_drawn(tmp_path: Path) -> None:
    settings = Settings(aligned=True, fidelity=0, device="cpu", precision="float32")
    picture = face(96)
    report = restore_aligned_files(save(tmp_path / "a.png", picture), tmp_path / "b.png", settings)
    with vidrestore.Restorer(device="cpu", fidelity=0, precision="float32") as restorer:
        (expected,) = restorer.aligned([picture])
    assert np.array_equal(stored(tmp_path / "b.png"), expected)
    assert report.drawn[0].mean == 1


def test_strength_is_the_weight_of_the_restored_face(tmp_path: Path) -> None:
    picture = face(48)
    save(tmp_path / "a.png", picture)
    for name, strength in (("none", 0.0), ("half", 0.5), ("all", 1.0)):
        settings = EVIDENCE.model_copy(update={"strength": strength})
        restore_aligned_files(tmp_path / "a.png", tmp_path / f"{name}.png", settings)
    none, half, whole = (stored(tmp_path / f"{name}.png").astype(float) for name in ("none", "half", "all"))
    assert np.array_equal(none, picture)
    assert np.abs(half - (none + whole) / 2).max() <= 1


def test_16_bits_stay_16_bits(tmp_path: Path) -> None:
    picture = face(48, dtype="uint16")
    photos.save_16(tmp_path / "a.png", picture)
    restore_aligned_files(tmp_path / "a.png", tmp_path / "b.png", EVIDENCE)
    result = photos.look_16(tmp_path / "b.png")
    assert result.dtype == np.uint16
    with vidrestore.Restorer(device="cpu", fidelity=1) as restorer:
        (expected,) = restorer.aligned([picture])
    assert np.abs(result.astype(int) - expected).max() <= 1
    assert np.unique(result).size > 1000


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_grey_stays_grey(suffix: str, tmp_path: Path) -> None:
    grey = face(48)[..., 1]
    save(tmp_path / f"a{suffix}", grey)
    restore_aligned_files(tmp_path / f"a{suffix}", tmp_path / f"b{suffix}", EVIDENCE)
    with Image.open(tmp_path / f"b{suffix}") as result:
        assert result.mode == "L"
        assert result.size == (48, 48)


def test_alpha_is_kept(tmp_path: Path) -> None:
    alpha = np.arange(48 * 48, dtype=np.uint32).astype(np.uint8).reshape(48, 48, 1)
    save(tmp_path / "a.png", np.concatenate([face(48), alpha], axis=2))
    restore_aligned_files(tmp_path / "a.png", tmp_path / "b.png", EVIDENCE)
    assert np.array_equal(stored(tmp_path / "b.png")[..., 3:], alpha)


def test_a_poor_jpeg_becomes_a_good_one_and_a_png_with_all_colours(tmp_path: Path) -> None:
    picture = face(48)
    Image.fromarray(picture).save(tmp_path / "a.jpg", quality=20)
    restore_aligned_files(tmp_path / "a.jpg", tmp_path / "b.jpg", EVIDENCE)
    restore_aligned_files(tmp_path / "a.jpg", tmp_path / "b.png", EVIDENCE)
    restore_aligned_files(tmp_path / "a.jpg", tmp_path / "c.jpg", EVIDENCE.model_copy(update={"quality": 20}))
    good, exact, poor = (stored(tmp_path / name).astype(float) for name in ("b.jpg", "b.png", "c.jpg"))
    assert np.abs(good - exact).mean() < np.abs(poor - exact).mean() / 2
    with Image.open(tmp_path / "a.jpg") as opened:
        decoded = np.asarray(opened)
    with vidrestore.Restorer(device="cpu", fidelity=1) as restorer:
        (expected,) = restorer.aligned([decoded])
    assert np.abs(exact - expected).mean() < 3  # each decoder enlarges the chroma in its own way


def test_a_turned_picture_is_restored_upright_and_stays_as_it_was_stored(tmp_path: Path) -> None:
    picture = face(48)
    turned = np.ascontiguousarray(np.rot90(picture, 1))  # shown by a turn of 90 degrees clockwise: 6
    photos.save(tmp_path / "a.png", turned, orientation=6)
    restore_aligned_files(tmp_path / "a.png", tmp_path / "b.png", EVIDENCE)
    with vidrestore.Restorer(device="cpu", fidelity=1) as restorer:
        (expected,) = restorer.aligned([picture])
    with Image.open(tmp_path / "b.png") as result:
        assert result.getexif()[0x0112] == 6
        assert np.array_equal(np.rot90(np.asarray(result), -1), expected)


def test_a_folder_keeps_its_names_and_subfolders(tmp_path: Path) -> None:
    folder, out = tmp_path / "faces", tmp_path / "restored"
    for number, name in enumerate(["a.png", "b.jpg", "more/c.png", "d.bmp", "e.png", "f.png"]):
        save(folder / name, face(48 if number % 2 else 64, seed=number))
    (folder / "notes.txt").write_text("not a picture")
    (folder / ".hidden.png").write_bytes(b"")
    seen: list[vidrestore.Progress] = []
    report = restore_aligned_files(folder, out, EVIDENCE, seen.append)
    files = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
    assert files == ["a.png", "b.jpg", "d.bmp", "e.png", "f.png", "more/c.png"]
    assert (report.frames, report.faces) == (6, 6)
    assert seen[-1].frames == seen[-1].total == 6
    alone = tmp_path / "alone.png"
    restore_aligned_files(folder / "more" / "c.png", alone, EVIDENCE)
    assert np.array_equal(stored(alone), stored(out / "more" / "c.png"))


def test_a_linked_folder_among_the_outputs_replaces_no_picture_of_the_input(tmp_path: Path) -> None:
    folder, out = tmp_path / "faces", tmp_path / "restored"
    save(folder / "one" / "a.png", face(48))
    other = save(folder / "two" / "a.png", face(48, seed=1)).read_bytes()
    out.mkdir()
    (out / "one").symlink_to(folder / "two")
    with pytest.raises(OutputError, match="is a picture of the input"):
        restore_aligned_files(folder, out, EVIDENCE.model_copy(update={"overwrite": True}))
    assert (folder / "two" / "a.png").read_bytes() == other


def test_a_sequence_gives_a_sequence_with_the_same_numbers(tmp_path: Path) -> None:
    for number in range(7, 12):
        save(tmp_path / f"{number:03}.png", face(48, seed=number))
    report = restore_aligned_files(tmp_path / "%03d.png", tmp_path / "out-%03d.png", EVIDENCE)
    assert sorted(path.name for path in tmp_path.glob("out-*")) == [f"out-{n:03}.png" for n in range(7, 12)]
    restore_aligned_files(tmp_path / "009.png", tmp_path / "alone.png", EVIDENCE)
    assert np.array_equal(stored(tmp_path / "alone.png"), stored(tmp_path / "out-009.png"))
    assert report.tracks == 5


def test_a_picture_that_is_not_square_is_named_before_anything_is_written(tmp_path: Path) -> None:
    folder, out = tmp_path / "faces", tmp_path / "restored"
    save(folder / "a.png", face(48))
    save(folder / "b.png", face(48)[:40])
    with pytest.raises(InputError, match=r"b\.png is 48 x 40 pixels, .* is square"):
        restore_aligned_files(folder, out, EVIDENCE)
    save(folder / "b.png", face(48)[:8, :8])
    with pytest.raises(InputError, match="at least 16"):
        restore_aligned_files(folder, out, EVIDENCE)
    assert not out.exists()


def test_outputs_are_replaced_only_if_requested(tmp_path: Path) -> None:
    folder, out = tmp_path / "faces", tmp_path / "restored"
    save(folder / "a.png", face(48))
    save(folder / "b.png", face(48, 1))
    before = save(out / "b.png", face(20)).read_bytes()
    with pytest.raises(OutputError, match=r"b\.png exists already"):
        restore_aligned_files(folder, out, EVIDENCE)
    assert [path.name for path in out.iterdir()] == ["b.png"]
    assert (out / "b.png").read_bytes() == before
    restore_aligned_files(folder, out, EVIDENCE.model_copy(update={"overwrite": True}))
    assert stored(out / "b.png").shape == (48, 48, 3)
    with pytest.raises(OutputError, match="lies in the input's folder"):
        restore_aligned_files(folder, folder / "out", EVIDENCE)


def test_a_damaged_picture_leaves_nothing_half_written(tmp_path: Path) -> None:
    folder, out = tmp_path / "faces", tmp_path / "restored"
    save(folder / "a.png", face(64))
    whole = save(folder / "b.png", face(64, 1)).read_bytes()
    (folder / "b.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(vidrestore.VidrestoreError) as caught:
        restore_aligned_files(folder, out, EVIDENCE.model_copy(update={"strict": True, "batch": 1}))
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.rglob(".*whole*"))
    assert {path.name for path in out.rglob("*")} <= {"a.png"}


def test_batch_restores_a_folder_and_skips_what_is_done(tmp_path: Path) -> None:
    folder, out = tmp_path / "faces", tmp_path / "restored"
    for number in range(3):
        save(folder / f"{number}.png", face(48, number))
    save(folder / "wide.png", face(48)[:40])
    outcomes = restore_folder(folder, out, EVIDENCE)
    assert [outcome.state for outcome in outcomes] == ["restored"] * 3 + ["failed"]
    assert "is square" in outcomes[-1].message
    (folder / "wide.png").unlink()
    assert {outcome.state for outcome in restore_folder(folder, out, EVIDENCE)} == {"up to date"}
    whole = Settings(fidelity=1, device="cpu", aligned=True, strength=0.5)
    assert {outcome.state for outcome in restore_folder(folder, out, whole)} == {"restored"}


@pytest.mark.parametrize(
    ("values", "named"),
    [({"faces": "largest"}, "faces"), ({"temporal": 0.5, "mask": "m.mkv"}, "temporal, mask")],
)
def test_settings_that_say_nothing_of_aligned_faces_are_refused(values: dict[str, Any], named: str) -> None:
    with pytest.raises(UsageError, match=f"do not apply to aligned faces: {named}; leave them out$"):
        Settings(aligned=True, **values)


def test_the_command_restores_a_folder_and_reports(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "faces", tmp_path / "restored"
    save(folder / "a.png", face(48))
    save(folder / "b.png", face(32, 1))
    words = ["restore", str(folder), str(out), "--aligned", "--fidelity", "1", "--device", "cpu"]
    assert main([*words, "--report", str(tmp_path / "report.json")]) == 0
    assert "2 frames, 2 faces of 2 tracks restored" in capsys.readouterr().out
    assert json.loads((tmp_path / "report.json").read_text())["faces"] == 2
    assert main(words) == 2
    assert "exists already" in capsys.readouterr().err
    save(folder / "b.png", face(32)[:20])
    assert main([*words, "--overwrite"]) == 2
    assert "is square" in capsys.readouterr().err
    assert main(["restore", str(folder), str(out)]) == 2
    assert main([*words, "--overwrite", "--dry-run"]) == 2


def test_a_preview_or_an_inspection_of_aligned_faces_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "a.png", face(48))
    with pytest.raises(UsageError, match="leave out aligned"):
        vidrestore.inspect(tmp_path / "a.png", aligned=True)
    with pytest.raises(UsageError, match="leave out aligned"):
        vidrestore.preview(tmp_path / "a.png", 0, aligned=True)
