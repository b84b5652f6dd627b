"""The sample's first second through the real pipeline, against its undamaged truth.

The truth's faces beside this file are cut from what `samples/make_old_film.py --truth` writes.
"""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

import vidrestore
from tests.support.shared import ROOT
from vidrestore.evaluation import psnr, ssim
from vidrestore.faces.alignment import similarity, warp_face
from vidrestore.types import FloatArray, Frame, Report
from vidrestore.video import probe, read_frames

SAMPLE = ROOT / "samples" / "old_film.mp4"
HERE = Path(__file__).parent
SIZE = 256
MIDDLE = (slice(76, 225), slice(56, 200))
"""From the brows to the chin."""
PORTRAIT_FROM = 520
"""Pixels from the left at which the portrait on the wall begins, with a margin for its mask."""
MARKS = {
    int(index): np.array(points, np.float32)
    for index, points in json.loads((HERE / "old_film_truth.json").read_text()).items()
}


@pytest.fixture(scope="module")
def restored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, list[Frame], list[Frame]]:
    """What is reported, the sample's frames, and the restored ones, without any loss of coding."""
    target = tmp_path_factory.mktemp("golden") / "restored.mkv"
    report = vidrestore.restore(SAMPLE, target, codec="ffv1", end=1.0, device="cpu")
    before = [f for f, _ in zip(read_frames(SAMPLE, probe(SAMPLE)), range(report.frames), strict=False)]
    return report, before, list(read_frames(target, probe(target)))


def face(frame: Frame) -> FloatArray:
    return warp_face(frame, similarity(MARKS[frame.index], SIZE), SIZE)[MIDDLE]


def truth(index: int) -> FloatArray:
    picture = cv2.imread(str(HERE / f"old_film_truth_{index:03d}.jpg"))
    assert picture is not None
    return picture[:, :, ::-1].astype(np.float32)[MIDDLE] / 255


def test_the_face_is_followed_through_every_frame(
    restored: tuple[Report, list[Frame], list[Frame]],
) -> None:
    report, before, after = restored
    assert report.frames == len(before) == len(after) == 24
    assert report.frames_with_faces == 24
    assert report.tracks in (1, 2)  # the portrait on the wall comes into view in the last four frames
    assert report.lost_frames == 0


@pytest.mark.parametrize("index", sorted(MARKS))
def test_the_restored_face_is_nearer_to_the_truth(
    restored: tuple[Report, list[Frame], list[Frame]], index: int
) -> None:
    _, before, after = restored
    wanted = truth(index)
    assert ssim(face(after[index]), wanted) > ssim(face(before[index]), wanted) + 0.03
    assert psnr(face(after[index]), wanted) > psnr(face(before[index]), wanted)


def test_nothing_changes_away_from_the_face(restored: tuple[Report, list[Frame], list[Frame]]) -> None:
    _, before, after = restored
    for index, points in MARKS.items():
        changed = before[index].planes[0] != after[index].planes[0]
        assert changed.any()
        height, width = changed.shape
        x, y = np.meshgrid(np.arange(width), np.arange(height))
        middle, eyes = points.mean(axis=0), float(np.hypot(*(points[1] - points[0])))
        far = (np.hypot(x - middle[0], y - middle[1]) > 3.1 * eyes) & (x < PORTRAIT_FROM)  # beyond the head
        assert not changed[far].any()


def test_the_films_grain_stays_on_the_face_if_requested(
    restored: tuple[Report, list[Frame], list[Frame]], tmp_path: Path
) -> None:
    target = tmp_path / "grainy.mkv"
    vidrestore.restore(SAMPLE, target, grain=1, codec="ffv1", end=0.6, device="cpu")
    _, before, without = restored
    with_grain = list(read_frames(target, probe(target)))
    for index in (4, 12):
        grain, kept, lost = (fine_detail(frames[index]) for frames in (before, with_grain, without))
        assert lost.std() < 0.65 * grain.std()
        assert 0.85 < kept.std() / grain.std() < 1.15
        assert 0.85 < kept @ grain / (grain @ grain) < 1.15


def fine_detail(frame: Frame) -> FloatArray:
    """(N,) of a cheek, where the restored face is smooth."""
    cheek = warp_face(frame, similarity(MARKS[frame.index], SIZE), SIZE).mean(2)
    return (cheek - cv2.GaussianBlur(cheek, (0, 0), 4))[140:162, 160:182].ravel()
