"""From files to numbers, in the real pipeline: what is better measures better, what is wrong is noticed."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

import vidrestore
from tests.support.clips import Clip, make_clip
from tests.support.footage import Footage, face_pictures, make_footage
from vidrestore.cli import main
from vidrestore.errors import InputError
from vidrestore.evaluation.evaluate import EvaluationSettings, evaluate
from vidrestore.evaluation.evaluation import Evaluation
from vidrestore.evaluation.measures import Subject
from vidrestore.evaluation.pictures import read_picture
from vidrestore.evaluation.report import page, table, to_csv, to_dict
from vidrestore.evaluation.summary import summarise

pytest.importorskip("skimage", reason="needs the extra eval")
pytest.importorskip("piq", reason="needs the extra eval")

SETTINGS = EvaluationSettings(device="cpu", worst=2)
FRAMES = 6
Picture = np.ndarray


def damaged(pictures: Sequence[Picture], sigma: float, noise: float = 0) -> list[Picture]:
    """Blurred, and noisy in another way in each frame."""
    rng = np.random.default_rng(0)
    soft = [cv2.GaussianBlur(picture, (0, 0), sigma).astype(np.float64) for picture in pictures]
    return [np.clip(p + rng.normal(0, noise, p.shape), 0, 255).astype(np.uint8) for p in soft]


def mean(found: Evaluation, name: str, subject: Subject = "result") -> float:
    (value,) = (r.mean for r in summarise(found) if r.measure.name == name and r.subject == subject)
    return value


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[Subject, Path]:
    """The sample's first frames as truth; a bad input; a result half way between."""
    folder = tmp_path_factory.mktemp("files")
    clean = face_pictures(FRAMES)
    result: dict[Subject, Path] = {
        "truth": make_footage(folder / "truth.mkv", clean, Footage(pixel_format="yuv444p")),
        "input": make_footage(folder / "input.mkv", damaged(clean, 2.5, 8)),
        "result": make_footage(folder / "result.mkv", damaged(clean, 1.0, 2)),
    }
    return result


@pytest.fixture(scope="module")
def found(files: dict[Subject, Path]) -> Evaluation:
    return evaluate(files["result"], truth=files["truth"], given=files["input"], settings=SETTINGS)


def test_the_better_video_measures_better_by_every_measure(found: Evaluation) -> None:
    higher = ("psnr", "ssim", "face_psnr", "face_ssim", "eyes_psnr", "mouth_psnr")
    lower = ("identity", "identity_distance", "flicker", "warping_error")
    for name in higher:
        assert mean(found, name) > mean(found, name, "input"), name
    for name in lower:
        assert mean(found, name) < mean(found, name, "input"), name
    assert len(found.pictures) == FRAMES
    assert len(found.faces) == FRAMES
    assert set(found.faces.tracks.tolist()) == {0}
    assert mean(found, "changed_outside") > 10


def test_all_checks_pass_and_what_is_missing_is_named(found: Evaluation) -> None:
    assert found.passed, found.checks
    assert {"FID", "FVD"} <= {item.name for item in found.left_out}


def test_the_truth_itself_is_perfect(files: dict[Subject, Path], tmp_path: Path) -> None:
    copy = tmp_path / "copy.mkv"
    copy.write_bytes(files["truth"].read_bytes())
    perfect = evaluate(copy, truth=files["truth"], settings=SETTINGS)
    assert mean(perfect, "face_psnr") == mean(perfect, "psnr") == 100
    assert mean(perfect, "face_ssim") == pytest.approx(1)
    assert mean(perfect, "edges") == pytest.approx(1)
    for name in ("identity", "landmarks", "mouth", "lids", "flicker", "sigma_akd"):
        assert mean(perfect, name) == pytest.approx(0, abs=0.03), name
    assert mean(perfect, "vidd") == mean(perfect, "vidd", "truth")


def test_without_a_truth_the_input_is_the_reference(files: dict[Subject, Path]) -> None:
    alone = evaluate(files["result"], given=files["input"], settings=SETTINGS)
    assert alone.reference == "input"
    names = {row.measure.name for row in summarise(alone)}
    assert {"identity", "landmarks", "niqe", "vidd", "changed_outside"} <= names
    assert not {"psnr", "face_psnr", "flicker", "sigma_ids"} & names
    assert any("--truth" in item.reason for item in alone.left_out)


def test_a_lossless_copy_has_not_changed(files: dict[Subject, Path], tmp_path: Path) -> None:
    copy = tmp_path / "copy.mkv"
    copy.write_bytes(files["input"].read_bytes())
    same = evaluate(copy, given=files["input"], settings=SETTINGS)
    assert mean(same, "changed_outside") == 0
    assert mean(same, "change_outside") == 0


def test_an_enlarged_result_is_measured_beside_its_smaller_input(
    files: dict[Subject, Path], tmp_path: Path
) -> None:
    large = tmp_path / "large.mkv"
    vidrestore.restore(files["result"], large, upscale=2, faces="none", codec="ffv1", device="cpu")
    found = evaluate(large, given=files["result"], settings=SETTINGS)
    assert found.size == (288, 256)
    assert mean(found, "changed_outside") == 0
    assert mean(found, "identity") == pytest.approx(0, abs=0.03)
    assert found.passed


def test_reports_say_the_same_numbers(found: Evaluation) -> None:
    stated = {(row["measure"], row["of"]): row["mean"] for row in to_dict(found)["summary"]}
    assert stated["face_psnr", "result"] == mean(found, "face_psnr")
    rows = list(csv.DictReader(to_csv(found).splitlines()))
    of_faces = [float(row["result.face_psnr"]) for row in rows if row["face"]]
    assert np.mean(of_faces) == pytest.approx(mean(found, "face_psnr"), abs=1e-4)
    assert len(rows) == 2 * FRAMES
    text = table(found)
    assert f"{mean(found, 'face_psnr'):.2f}" in text
    assert "left out: FVD" in text


def test_the_report_page_loads_no_other_files(found: Evaluation) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra eval")
    text = page(found)
    assert f"{mean(found, 'face_psnr'):.2f}" in text
    assert text.count("<svg") >= 5
    assert text.count("data:image/jpeg;base64,") == 2 * len(found.worst) == 4
    assert not [word for word in ('src="http', "<link", "<script", "url(http") if word in text]


def test_the_page_of_a_short_clip_has_no_empty_parts(found: Evaluation) -> None:
    """Six frames of one face: no interval can be stated, and the only track is the whole."""
    pytest.importorskip("matplotlib", reason="needs the extra eval")
    text = page(found)
    assert "95 % of result" not in text
    assert "No intervals are stated" in text
    assert "<h2>Tracks</h2>" not in text
    assert "6 faces in 1 track." in text


def test_frames_that_come_late_are_noticed(files: dict[Subject, Path], tmp_path: Path) -> None:
    pictures = face_pictures(14)
    truth = make_footage(tmp_path / "truth.mkv", pictures[1:])
    late = make_footage(tmp_path / "late.mkv", damaged(pictures[:-1], 1.0))
    check = evaluate(late, truth=truth, settings=SETTINGS).checks[0]
    assert not check.passed
    assert "1 frame earlier" in check.sentence


def test_the_truth_of_another_video_ends_with_code_three(
    files: dict[Subject, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same length and size, so nothing but the pictures says that they do not belong together."""
    turned = [np.ascontiguousarray(picture[::-1, ::-1]) for picture in face_pictures(FRAMES)]
    other = make_footage(tmp_path / "other.mkv", turned)
    assert main(["evaluate", str(files["result"]), "--truth", str(other), "--device", "cpu"]) == 3
    assert "is it the truth of this video?" in capsys.readouterr().out


def test_videos_of_other_lengths_and_sizes_are_refused(files: dict[Subject, Path], tmp_path: Path) -> None:
    short = make_footage(tmp_path / "short.mkv", face_pictures(FRAMES)[:-1])
    assert main(["evaluate", str(short), "--truth", str(files["truth"]), "-q"]) == 2
    small = make_clip(tmp_path / "small.mp4", Clip(frames=FRAMES))
    assert main(["evaluate", str(small), "--truth", str(files["truth"]), "-q"]) == 2
    assert main(["evaluate", str(tmp_path / "nothing.mkv"), "-q"]) == 2
    assert main(["evaluate", str(short), "--truth", str(short), "-q"]) == 2


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two pictures of faces that differ, and their blurred copies."""
    first = face_pictures(1)[0]
    pictures = {"a.png": first, "b.png": np.ascontiguousarray(first[:, ::-1])}
    for folder, sigma in (("truth", 0.01), ("result", 1.2)):
        (tmp_path / folder).mkdir()
        for name, picture in pictures.items():
            (soft,) = damaged([picture], sigma)
            cv2.imwrite(str(tmp_path / folder / name), soft[..., ::-1])
    return tmp_path / "result", tmp_path / "truth"


def test_a_folder_is_measured_and_reported_by_the_command(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result, truth = folders
    target, crops = tmp_path / "values.json", tmp_path / "crops"
    words = ["evaluate", str(result), "--truth", str(truth), "--json", str(target), "--crops", str(crops)]
    assert main([*words, "--device", "cpu"]) == 0
    stated = json.loads(target.read_text())
    assert [row["name"] for row in stated["by_picture"]] == ["a.png", "b.png"]
    assert stated["passed"] is True
    assert sorted(path.relative_to(crops).as_posix() for path in crops.rglob("*.png")) == [
        "result/a_000.png", "result/b_000.png", "truth/a_000.png", "truth/b_000.png",
    ]  # fmt: skip
    assert "PSNR, faces" in capsys.readouterr().out


def test_pictures_that_were_mixed_up_end_with_code_three(
    folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    result, truth = folders
    (result / "a.png").rename(result / "c.png")
    (result / "b.png").rename(result / "a.png")
    (result / "c.png").rename(result / "b.png")
    assert main(["evaluate", str(result), "--truth", str(truth), "--device", "cpu"]) == 3
    assert (
        "FAILED  same pictures as the truth: a.png looks like the truth of b.png" in capsys.readouterr().out
    )
    assert main(["evaluate", str(result), "--truth", str(truth), "--device", "cpu", "--json", "-"]) == 3
    output = capsys.readouterr()
    assert json.loads(output.out)["checks"]
    assert "same pictures as the truth: a.png looks like the truth of b.png" in output.err


def test_a_missing_truth_picture_is_named_in_an_error_message(
    folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    result, truth = folders
    (truth / "b.png").unlink()
    assert main(["evaluate", str(result), "--truth", str(truth)]) == 2
    message = capsys.readouterr().err
    assert "lacks the truth of b" in message
    assert "Traceback" not in message


@pytest.mark.parametrize("name", ["b.png", "b.webp"])
def test_an_animation_among_the_pictures_is_named_before_anything_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    Image.new("RGB", (64, 48)).save(tmp_path / "a.png")
    moving = [Image.new("RGB", (64, 48), (40 * number, 0, 0)) for number in range(3)]
    moving[0].save(tmp_path / name, save_all=True, append_images=moving[1:], duration=100)
    assert main(["evaluate", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{tmp_path / name} is an animation" in line


def test_a_picture_that_turns_out_to_hold_several_is_named(tmp_path: Path) -> None:
    moving = [Image.new("RGB", (64, 48), (40 * number, 0, 0)) for number in range(3)]
    moving[0].save(tmp_path / "a.png", "GIF", save_all=True, append_images=moving[1:], duration=100)
    with pytest.raises(InputError, match=r"a\.png is an animation"):
        read_picture(tmp_path / "a.png")


def test_reports_are_not_written_over_what_is_measured(folders: tuple[Path, Path], tmp_path: Path) -> None:
    result, truth = folders
    assert (
        main(["evaluate", str(result), "--truth", str(truth), "--html", str(tmp_path / "no" / "x.html")]) == 2
    )
    picture = result / "a.png"
    before = picture.read_bytes()
    assert main(["evaluate", str(picture), "--json", str(picture)]) == 2
    assert main(["evaluate", str(result), "--crops", str(truth), "-q"]) == 2
    assert picture.read_bytes() == before


def test_a_page_without_matplotlib_is_refused_before_the_work(
    folders: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    result, truth = folders
    page_file = tmp_path / "page.html"
    assert main(["evaluate", str(result), "--truth", str(truth), "--html", str(page_file)]) == 2
    message = capsys.readouterr().err
    assert "vidrestore[eval]" in message
    assert "frames" not in message
