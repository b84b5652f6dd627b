"""Eyes and mouths of people who move and speak: the default beside the input and plain filters.

    python -m benchmarks.clip_faces CLEAN... [--networks FOLDER] [--recipes tape film]
        [--start 3] [--seconds 2]

Each CLEAN clip is degraded by recipes of `vidrestore degrade`, and restored or filtered as a video. Faces are
cut out at the truth's places. Rows: the input, non-local means of three strengths, the default. Columns:

    face, eyes, mouth   PSNR of the face, and of boxes around the eyes and the mouth
    eyes-p, mouth-p     perceptual distance of these boxes, with the networks of FOLDER (`validation.metrics`)
    mouth ok            share of frames whose mouth is open as in the truth, within 10 % of the mouth's width
    mouth rel           the same within 10 % of the truth's opening, among frames where the mouth is open
    lids                mean error of the lids' opening, in percent of the distance between the eyes
    flicker             change between frames beyond the truth's own, of face, eyes and mouth, in codes
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.peer_filters import filter_video, nlm
from benchmarks.peer_pictures import copy
from benchmarks.validation.filters import NLM_STRENGTHS
from benchmarks.validation.metrics import EYES, MOUTH, FaceMetrics, landmark_finder, part_of
from vidrestore.degradation.degrade import degrade_path
from vidrestore.degradation.recipes import RECIPE_NAMES
from vidrestore.detection import make_detector
from vidrestore.evaluation.face_views import FaceNetworks, FaceView, view_faces
from vidrestore.evaluation.image import psnr
from vidrestore.evaluation.measures import Subject
from vidrestore.evaluation.temporal import flicker_of_pair
from vidrestore.evaluation.videos import VideoMoments
from vidrestore.face_mesh import make_face_mesh
from vidrestore.identity import make_recogniser
from vidrestore.settings import Settings
from vidrestore.types import FloatArray

COLUMNS = (
    "face", "eyes", "mouth", "eyes-p", "mouth-p", "mouth ok", "mouth rel", "lids",
    "flicker", "f. eyes", "f. mouth",
)  # fmt: skip
OPEN_ENOUGH = 0.1
"""Opening over width from which a mouth is open."""
TOLERANCE = 0.1
FACE = (0.2, 0.2, 0.8, 0.9)
"""x0 y0 x1 y1 in an aligned face, in shares of its side."""


@dataclass(slots=True)
class Views:
    """The faces of a video and of its truth, in order."""

    result: list[FaceView] = field(default_factory=list)
    truth: list[FaceView] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("clips", type=Path, nargs="+", metavar="CLEAN")
    parser.add_argument("--networks", type=Path, help="folder of networks that measure")
    parser.add_argument("--recipes", nargs="+", choices=RECIPE_NAMES, default=["tape", "film"])
    parser.add_argument("--start", type=float, help="seconds; default: the beginning")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each clip")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    metrics = FaceMetrics(arguments.networks, landmark_finder(None))
    for clip in arguments.clips:
        for recipe in arguments.recipes:
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                settings = Settings(codec="ffv1")
                truth, degraded = folder / "truth.mkv", folder / "input.mkv"
                copy(clip, truth, arguments.seconds, arguments.start)
                degrade_path(truth, degraded, recipe, seed=arguments.seed, settings=settings)
                print(f"\n{clip.name}, {recipe}")
                print(f"{'':12s}" + " ".join(f"{column:>9s}" for column in COLUMNS))
                for label, path in rows(degraded, folder):
                    values = measure(faces_of(path, truth), metrics)
                    print(f"{label:12s}" + " ".join(f"{value:9.3f}" for value in values), flush=True)


def rows(degraded: Path, folder: Path) -> Iterable[tuple[str, Path]]:
    """Labels and videos, each made when it is asked for."""
    yield "input", degraded
    for strength in NLM_STRENGTHS:
        path = folder / f"nlm{strength}.mkv"
        filter_video(nlm(strength), degraded, path)
        yield f"nlm {strength}", path
    path = folder / "restored.mkv"
    command = [
        sys.executable,
        "-m",
        "vidrestore",
        "restore",
        str(degraded),
        str(path),
        "--codec",
        "ffv1",
        "-q",
    ]
    subprocess.run(command, check=True)
    yield "default", path


def faces_of(path: Path, truth: Path) -> Views:
    """The faces of a video, cut out at the truth's places."""
    networks = FaceNetworks(
        detector=make_detector("embedded", "cpu"),
        recogniser=make_recogniser("cpu"),
        mesh=make_face_mesh("cpu"),
    )
    subjects: dict[Subject, Path] = {"result": path, "truth": truth}
    views = Views()
    for moment in VideoMoments(
        subjects, detector="embedded", device="cpu", min_face=Settings().min_face, every_frame=False
    ):
        for found in view_faces(moment, networks):
            views.result.append(found["result"])
            views.truth.append(found["truth"])
    return views


def measure(views: Views, metrics: FaceMetrics) -> list[float]:
    """Means of `COLUMNS`."""
    pairs = list(zip(views.result, views.truth, strict=True))
    values = [
        [
            mean(psnr(part_of(a.crop, box), part_of(b.crop, box)) for a, b in pairs)
            for box in (FACE, EYES, MOUTH)
        ],
        [
            mean(metrics.perceptual(part_of(a.crop, box), part_of(b.crop, box)) for a, b in pairs)
            for box in (EYES, MOUTH)
        ],
        [mean(abs(a.mouth - b.mouth) <= TOLERANCE for a, b in pairs)],
        [mean(abs(a.mouth - b.mouth) <= TOLERANCE * b.mouth for a, b in pairs if b.mouth >= OPEN_ENOUGH)],
        [100 * mean(abs(a.lids - b.lids) for a, b in pairs)],
        [255 * _flicker(pairs, box) for box in (FACE, EYES, MOUTH)],
    ]
    return [value for group in values for value in group]


def mean(values: Iterable[float]) -> float:
    """The mean of what is finite; NaN of nothing."""
    finite = [value for value in values if np.isfinite(value)]
    return float(np.mean(finite)) if finite else float("nan")


def _flicker(pairs: list[tuple[FaceView, FaceView]], box: tuple[float, float, float, float]) -> float:
    def cut(view: FaceView) -> FloatArray:
        return part_of(view.crop, box)

    return mean(
        flicker_of_pair(cut(before[0]), cut(now[0]), cut(before[1]), cut(now[1]))
        for before, now in pairwise(pairs)
    )


if __name__ == "__main__":
    main()
