"""Photographs become aligned faces, and the manifest says what became of every file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support.shared import SHARED, needs_shared
from tests.support.user_files import snapshot
from vidrestore.cli import main
from vidrestore.detection import make_detector
from vidrestore.errors import InputError, OutputError
from vidrestore.faces.alignment import template
from vidrestore.training.data.prepare import FaceCriteria, prepare, read_manifest
from vidrestore.types import Detection, Frame

PORTRAITS = SHARED / "portraits"


class Finds:
    """As many faces as the picture's red says, at the template's place in the middle."""

    def detect(
        self, frame: Frame, *, search: str = "thorough", existing: Sequence[Detection] = ()
    ) -> tuple[Detection, ...]:
        count = round(float(frame.planes[0].mean()) / 50)
        points = (template(80) + 24).astype(np.float32)
        box = np.array([30, 30, 98, 98], np.float32)
        return tuple(Detection(box=box, landmarks=points, score=0.9) for _ in range(count))

    def follow(self, frame: Frame, previous: object) -> tuple[Detection, ...]:
        raise AssertionError("single photographs are not followed")


def photograph(path: Path, level: int, *, noise: float = 20.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = np.random.default_rng(0).normal(level, noise, (128, 128)).clip(0, 255).astype(np.uint8)
    cv2.imwrite(str(path), picture)


def test_every_photograph_has_its_line_with_the_reason(tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    photograph(source / "none.png", 0, noise=0)
    photograph(source / "one.png", 50)
    photograph(source / "set" / "one.jpg", 50)
    photograph(source / "two.png", 100)
    photograph(source / "flat.png", 50, noise=0)
    (source / "broken.jpg").write_bytes(b"no picture")
    reasons = prepare(source, target, Finds(), FaceCriteria(size=64, border=0.1))
    assert reasons == {"kept": 2, "no face": 1, "several faces": 1, "too blurred": 1, "unreadable": 1}
    entries = {entry.source: entry for entry in read_manifest(target / "manifest.jsonl")}
    assert len(entries) == 6
    kept = [entry for entry in entries.values() if entry.reason == "kept"]
    assert sorted(str(e.file) for e in kept) == ["one.png", str(Path("set") / "one.png")]
    for entry in kept:
        face = cv2.imread(str(target / str(entry.file)))
        assert face is not None
        assert face.shape == (80, 80, 3)  # 64 pixels and a tenth of the whole on each side
        assert entry.side == pytest.approx(80, rel=0.02)


def test_a_face_that_would_have_to_be_enlarged_is_left_out(tmp_path: Path) -> None:
    photograph(tmp_path / "in" / "one.png", 50)
    assert prepare(tmp_path / "in", tmp_path / "out", Finds(), FaceCriteria(size=256)) == {"too small": 1}


def test_existing_outputs_and_empty_folders_are_refused(tmp_path: Path) -> None:
    photograph(tmp_path / "in" / "one.png", 50)
    prepare(tmp_path / "in", tmp_path / "out", Finds(), FaceCriteria(size=64))
    with pytest.raises(OutputError, match="exists"):
        prepare(tmp_path / "in", tmp_path / "out", Finds(), FaceCriteria(size=64))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="has no photographs"):
        prepare(tmp_path / "empty", tmp_path / "out2", Finds(), FaceCriteria())


@needs_shared
def test_real_portraits_are_aligned_to_the_template(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(
        ["train", "prepare", str(PORTRAITS), str(tmp_path / "out"), "--size", "256", "--border", "0.05"]
    )
    assert code == 0, capsys.readouterr().err
    entries = list(read_manifest(tmp_path / "out" / "manifest.jsonl"))
    kept = [entry for entry in entries if entry.reason == "kept"]
    assert len(kept) >= 0.75 * len(entries)
    detector = make_detector("embedded")
    again = prepare(tmp_path / "out", tmp_path / "again", detector, FaceCriteria(size=256, border=0.05))
    assert again["kept"] >= 0.75 * len(kept)
    for entry in read_manifest(tmp_path / "again" / "manifest.jsonl"):
        if entry.landmarks is not None:
            expected = template(256) + (256 / 0.9 - 256) / 2
            assert np.abs(np.array(entry.landmarks) - expected).mean() < 6


def test_neither_photographs_nor_aligned_faces_are_replaced(tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    for name in ("one.png", "one.jpg", "one.bmp"):
        photograph(source / name, 50)
    before = snapshot(source)
    with pytest.raises(OutputError, match="is the folder of the photographs"):
        prepare(source, source, Finds(), FaceCriteria(size=80, min_sharpness=0))
    assert prepare(source, target, Finds(), FaceCriteria(size=80, min_sharpness=0)) == {"kept": 3}
    files = [entry.file for entry in read_manifest(target / "manifest.jsonl")]
    assert sorted(map(str, files)) == ["one.jpg.png", "one.png", "one.png.png"]
    assert snapshot(source) == before
