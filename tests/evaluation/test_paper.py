"""The paper's evaluation: the measures of each set, of aligned faces that are restored one by one."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from skimage import data

from tests.support.faces import ASTRONAUT, still
from tests.support.restorers import MirrorRestorer
from vidrestore.cli import main
from vidrestore.errors import InputError
from vidrestore.evaluation import left_out, paper
from vidrestore.evaluation.inception import inception_network
from vidrestore.evaluation.paper import SIDE, PaperFiles, evaluate_paper
from vidrestore.evaluation.paper_table import PaperResult, scores, table
from vidrestore.faces.alignment import face_to_crop, warp_face
from vidrestore.settings import Settings
from vidrestore.types import FloatArray

pytest.importorskip("piq", reason="needs the extra eval")

SETTINGS = Settings(aligned=True, fidelity=0, precision="float32", device="cpu")


@pytest.fixture(autouse=True)
def nothing_restored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The restorer gives back the faces; torch.hub's folder is empty."""
    identity = MirrorRestorer(estimates=True, generates=False)
    monkeypatch.setattr(paper, "restorer_for", lambda *_: identity)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))


def face() -> FloatArray:
    """(512, 512, 3) scikit-image's astronaut, aligned."""
    frame = still(data.astronaut())
    return warp_face(frame, face_to_crop(frame, ASTRONAUT, SIDE), SIDE)


def save(path: Path, picture: FloatArray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.rint(picture[..., ::-1].clip(0, 1) * 255).astype(np.uint8))


def make_set(folder: Path, *, sigma: float = 0) -> Path:
    """Two faces, clean and blurred; the second is darker and mirrored."""
    for name, clean in (("a", face()), ("b", 0.8 * face()[:, ::-1])):
        degraded = cv2.GaussianBlur(clean, (0, 0), sigma) if sigma else clean
        save(folder / "hq" / f"{name}.png", clean)
        save(folder / "lq" / f"{name}.png", degraded)
    return folder


def test_faces_that_equal_the_truth_are_perfect(tmp_path: Path) -> None:
    found = evaluate_paper("celeba", make_set(tmp_path), SETTINGS)
    row = scores(found)["result"]
    assert (row["psnr"].mean, row["ssim"].mean) == (100, pytest.approx(1))
    assert row["ida"].mean == pytest.approx(0, abs=0.1)
    assert row["lmd"].mean == pytest.approx(0, abs=1e-6)
    assert row["lmd"].count == 2
    assert found.passed


def test_degraded_faces_are_worse_in_every_measure(tmp_path: Path) -> None:
    found = evaluate_paper("celeba", make_set(tmp_path, sigma=6), SETTINGS)
    rows = scores(found)
    assert rows["input"].keys() == rows["result"].keys() == {"niqe", "ida", "lmd", "psnr", "ssim"}
    assert rows["truth"].keys() == {"niqe"}
    assert rows["input"]["psnr"].mean < 40
    assert rows["input"]["ssim"].mean < 0.95
    assert rows["input"]["ida"].mean > 1
    assert rows["input"]["niqe"].mean > rows["truth"]["niqe"].mean
    for name in ("psnr", "ssim", "ida", "lmd", "niqe"):  # the restorer gives back what it gets
        assert rows["result"][name].mean == pytest.approx(rows["input"][name].mean, rel=1e-5)


def test_the_table_has_the_papers_columns_and_names_what_is_left_out(tmp_path: Path) -> None:
    text = table(evaluate_paper("celeba", make_set(tmp_path), SETTINGS))
    header = next(line for line in text.splitlines() if "FID" in line)
    assert [word.rstrip("*") for word in header.split() if word.strip("*").isalpha()] == [
        "FID", "LPIPS", "NIQE", "IDA", "LMD", "PSNR", "SSIM",
    ]  # fmt: skip
    assert "2 pictures (the paper has 3000)" in text
    assert "left out: FID: needs the Inception network" in text
    assert "not ArcFace" in text


def test_sets_without_truth_have_fid_and_niqe(tmp_path: Path) -> None:
    save(tmp_path / "faces" / "a.png", face())
    found = evaluate_paper("wider", tmp_path / "faces", SETTINGS)
    assert {subject: set(row) for subject, row in scores(found).items()} == {
        "input": {"niqe"},
        "result": {"niqe"},
    }
    assert not found.checks


def test_missing_and_odd_files_are_errors(tmp_path: Path) -> None:
    folder = make_set(tmp_path / "set")
    (folder / "lq" / "b.png").rename(tmp_path / "b.png")
    with pytest.raises(InputError, match="lq lacks the input of b, which is in"):
        evaluate_paper("celeba", folder, SETTINGS)
    (tmp_path / "b.png").rename(folder / "lq" / "b.png")
    (folder / "hq" / "b.png").unlink()
    with pytest.raises(InputError, match="hq lacks the truth of b, which is in"):
        evaluate_paper("celeba", folder, SETTINGS)
    save(folder / "hq" / "b.png", face()[:256, :256])
    with pytest.raises(InputError, match="256 x 256 pixels; the paper's faces are 512 x 512"):
        evaluate_paper("celeba", folder, SETTINGS)
    with pytest.raises(InputError, match="lacks the folder lq"):
        evaluate_paper("celeba", folder / "hq", SETTINGS)
    with pytest.raises(InputError, match="there is no folder"):
        evaluate_paper("lfw", tmp_path / "absent", SETTINGS)


def random_inception(path: Path) -> Path:
    torch.manual_seed(0)
    torch.save(inception_network().state_dict(), path)
    return path


def test_fid_is_measured_with_the_users_weights(tmp_path: Path) -> None:
    """The weights are random: the distance is none of FID's, the way to it is."""
    weights = random_inception(tmp_path / "inception.pth")
    folder = make_set(tmp_path / "set", sigma=6)
    found = evaluate_paper("celeba", folder, SETTINGS, PaperFiles(inception=weights))
    assert found.fid["input"] > 0
    assert found.fid["result"] == pytest.approx(found.fid["input"], rel=1e-3)
    assert "FID" not in {item.name for item in found.left_out}
    files = PaperFiles(inception=weights, reference=folder / "lq")
    found = evaluate_paper("lfw", folder / "lq", SETTINGS, files)
    assert found.fid["result"] == pytest.approx(0, abs=1e-3)
    found = evaluate_paper("lfw", folder / "lq", SETTINGS, PaperFiles(inception=weights))
    (missing,) = found.left_out
    assert "give --reference" in missing.reason


def test_the_network_is_found_where_torch_keeps_it(tmp_path: Path) -> None:
    assert isinstance(left_out.load_fid(None, "cpu"), left_out.LeftOut)
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    random_inception(tmp_path / "hub" / "checkpoints" / "pt_inception-2015-12-05-6726825d.pth")
    assert not isinstance(left_out.load_fid(None, "cpu"), left_out.LeftOut)


def test_the_command_writes_faces_and_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, report = make_set(tmp_path / "set"), tmp_path / "paper.json"
    words = ["evaluate", "paper", "--set", "celeba", "--data", str(folder), "--device", "cpu"]
    assert main([*words, "--json", str(report), "--save", str(tmp_path / "saved")]) == 0
    assert "CelebA-Test: 2 pictures" in capsys.readouterr().out
    assert sorted(path.name for path in (tmp_path / "saved").iterdir()) == ["a.png", "b.png"]
    found = json.loads(report.read_text())
    assert found["rows"]["result"]["psnr"]["mean"] == 100
    assert [picture["name"] for picture in found["pictures"]] == ["a.png", "b.png"]
    assert main([*words, "--save", str(tmp_path / "saved")]) == 2
    for name in ("a", "b"):  # swapped truths
        (folder / "hq" / f"{name}.png").rename(tmp_path / f"{name}.png")
    (tmp_path / "a.png").rename(folder / "hq" / "b.png")
    (tmp_path / "b.png").rename(folder / "hq" / "a.png")
    capsys.readouterr()
    assert main([*words, "--quiet"]) == 3
    output = capsys.readouterr()
    assert output.out == ""
    assert "same pictures as the truth: a.png looks like the truth of b.png" in output.err


def test_a_file_called_paper_can_be_evaluated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", "./paper"]) == 2
    assert "there is no file" in capsys.readouterr().err
    assert main(["evaluate", "paper"]) == 2
    assert "--set" in capsys.readouterr().err


def test_a_result_without_pictures_has_no_scores() -> None:
    empty = PaperResult(
        set="lfw", about="", names=(), values={"input": []}, fid={}, checks=(), left_out=()
    )  # fmt: skip
    assert scores(empty) == {"input": {}}
