"""Which faces the detectors find, by kind, what else they take for one, and what a search costs.

    python -m benchmarks.detection FACES [--manifest FILE] [--retinaface FILE] [--clips PATH ...]
        [--scenes N] [--lines 480|720] [--pictures FOLDER]

FACES is a folder of aligned faces with a manifest.csv that gives their yaw and who is held out of training;
only those people are shown. `--manifest` names another table for it. Compared are the embedded detector,
YuNet alone (its score from 0.6), and RetinaFace (mobile0.25) where its weights are given.

Prints the share of faces found by kind; the distance of the five points from those that RetinaFace finds in
the clean upright picture, over the size of the face; what is taken for a face in pictures without one;
milliseconds of a core by search and lines; of clips, faces a frame, the share of frames with one, and
milliseconds a frame. `--pictures` keeps a scene of each kind with what the embedded detector found in it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import get_args

import cv2
import numpy as np

from benchmarks.detection_scenes import (
    KINDS,
    LINES,
    AlignedCrop,
    Picture,
    Scene,
    load_backgrounds,
    load_crops,
    make_scenes,
    pictures_without_faces,
)
from vidrestore.detection import FaceDetector, detect, make_detector
from vidrestore.detection.detector import Search
from vidrestore.detection.overlap import suppress_duplicates
from vidrestore.detection.retinaface import RetinaFaceDetector
from vidrestore.detection.yunet import YuNet
from vidrestore.faces.face_square import SIDE_PER_FACE, square_around
from vidrestore.types import Detection, Frame
from vidrestore.video import probe, read_frames


class YuNetAlone:
    """What YuNet says, unverified."""

    def __init__(self, least: float = 0.6) -> None:
        self._yunet = YuNet(min_face=MIN_FACE, least=least)

    def detect(
        self, frame: Frame, *, search: Search = "thorough", existing: Sequence[Detection] = ()
    ) -> tuple[Detection, ...]:
        """All faces of the frame."""
        return suppress_duplicates(self._yunet.search(frame, search))

    def follow(self, frame: Frame, previous: Sequence[Detection]) -> tuple[Detection, ...]:
        """The faces of a full search."""
        return self.detect(frame, search="full")


MIN_FACE = 17
"""Pixels; the smallest faces of the scenes."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("faces", type=Path)
    parser.add_argument("--manifest", type=Path)
    parser.add_argument("--retinaface", type=Path, help="weights of retinaface_mobile0.25")
    parser.add_argument("--clips", type=Path, nargs="*", default=[])
    parser.add_argument("--scenes", type=int, default=12, help="of each kind")
    parser.add_argument("--lines", type=int, choices=LINES, default=720)
    parser.add_argument("--pictures", type=Path)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    teacher = None
    if arguments.retinaface is not None:
        teacher = RetinaFaceDetector("retinaface_mobile0.25", arguments.retinaface, max_side=320)
    backgrounds = load_backgrounds()
    crops = load_crops(arguments.faces, arguments.manifest, teacher)
    detectors: dict[str, FaceDetector] = {
        "embedded": make_detector("embedded", min_face=MIN_FACE),
        "YuNet alone": YuNetAlone(),
    }
    if arguments.retinaface is not None:
        detectors["RetinaFace"] = RetinaFaceDetector("retinaface_mobile0.25", arguments.retinaface)
    scenes = {
        name: list(make_scenes(kind, crops, backgrounds, lines=arguments.lines, faces=6 * arguments.scenes))
        for name, kind in KINDS.items()
    }
    if arguments.pictures is not None:
        draw(arguments.pictures, scenes, detectors["embedded"])
    print_recall(scenes, detectors)
    print_false_accepts(crops, backgrounds, detectors)
    print_times(crops, backgrounds, detectors)
    for clip in arguments.clips:
        print_clip(clip, detectors)


def print_recall(scenes: Mapping[str, Sequence[Scene]], detectors: Mapping[str, FaceDetector]) -> None:
    """Faces found, points off, and other detections, by kind."""
    print(f"{'':12s}  {'faces':>5s}" + "".join(f" | {name:^22s}" for name in detectors))
    print(f"{'':19s}" + f" | {'found':>7s} {'points':>7s} {'else':>6s}" * len(detectors))
    for name, kind in scenes.items():
        line = f"{name:12s}  {sum(len(scene.faces) for scene in kind):5d}"
        for detector in detectors.values():
            line += " | {:7.1%} {:7.1%} {:6d}".format(*_measure(kind, detector))
        print(line, flush=True)


def _measure(scenes: Sequence[Scene], detector: FaceDetector) -> tuple[float, float, int]:
    """Share of faces found, distance of their points over their size, detections that are none of them."""
    errors: list[float] = []
    total = others = 0
    for scene in scenes:
        found = detector.detect(scene.frame)
        total += len(scene.faces)
        for face in scene.faces:
            mine = [d for d in found if face.is_found_by(d)]
            if mine:
                size = float(square_around(face.points)[2]) / SIDE_PER_FACE
                errors.append(float(np.hypot(*(mine[0].landmarks - face.points).T).mean()) / size)
        others += sum(not any(face.is_found_by(d) for face in scene.faces) for d in found)
    return len(errors) / max(total, 1), float(np.mean(errors)) if errors else np.nan, others


def print_false_accepts(
    crops: Sequence[AlignedCrop], backgrounds: Sequence[Picture], detectors: Mapping[str, FaceDetector]
) -> None:
    """What is taken for a face in pictures without one, by what they show."""
    print(f"\n{'no faces':19s}" + "".join(f" | {name:>22s}" for name in detectors))
    for name, frames in pictures_without_faces(crops, backgrounds).items():
        counts = [sum(len(detector.detect(frame)) for frame in frames) for detector in detectors.values()]
        print(f"{name:12s}  {len(frames):5d}" + "".join(f" | {count:22d}" for count in counts), flush=True)


def print_times(
    crops: Sequence[AlignedCrop], backgrounds: Sequence[Picture], detectors: Mapping[str, FaceDetector]
) -> None:
    """Milliseconds of a core by search, for a frame with one face, with the default smallest face."""
    detectors = {**detectors, "embedded": make_detector("embedded")}
    print(f"\n{'ms of a core':19s}" + "".join(f" | {name:>22s}" for name in detectors))
    for lines in LINES:
        (scene,) = make_scenes(KINDS["one"], crops, backgrounds, lines=lines, faces=1)
        for search in get_args(Search):
            spent = [_milliseconds(partial(d.detect, scene.frame, search=search)) for d in detectors.values()]
            print(f"{lines} {search:14s}" + "".join(f" | {value:22.1f}" for value in spent), flush=True)
        spent = []
        for detector in detectors.values():
            known = detector.detect(scene.frame)
            spent.append(_milliseconds(partial(detector.follow, scene.frame, known)))
        print(f"{lines} {'follow':14s}" + "".join(f" | {value:22.1f}" for value in spent), flush=True)


def _milliseconds(work: Callable[[], object], rounds: int = 10) -> float:
    """Of processor time, the least of several rounds."""
    spent = []
    for _ in range(rounds):
        begin = time.process_time()
        work()
        spent.append(time.process_time() - begin)
    return 1000 * min(spent)


def print_clip(clip: Path, detectors: Mapping[str, FaceDetector]) -> None:
    """Faces of a clip as `detect` finds and follows them."""
    print(f"\n{clip.name}")
    for name, detector in detectors.items():
        begin, counts = time.process_time(), []
        frames = list(read_frames(clip, probe(clip)))
        decoded = time.process_time() - begin
        for item in detect(frames, detector):
            counts.append(len(item.faces))
        spent = (time.process_time() - begin - decoded) / max(len(counts), 1)
        share = np.count_nonzero(counts) / max(len(counts), 1)
        print(
            f"  {name:12s} {len(counts)} frames, {np.mean(counts):.2f} faces a frame, "
            f"{share:.1%} of frames with one, {1000 * spent:.1f} ms a frame"
        )


def draw(folder: Path, scenes: Mapping[str, Sequence[Scene]], detector: FaceDetector) -> None:
    """The first scene of each kind: what is to be found in green, what was found in red."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, kind in scenes.items():
        green, blue, red = kind[0].frame.planes
        picture = np.ascontiguousarray(np.dstack([blue, green, red]))
        for face in kind[0].faces:
            x, y, side = square_around(face.points)
            cv2.circle(picture, (round(float(x)), round(float(y))), round(float(side) / 2), (0, 255, 0), 1)
        for d in detector.detect(kind[0].frame):
            x0, y0, x1, y1 = (round(float(v)) for v in d.box)
            cv2.rectangle(picture, (x0, y0), (x1, y1), (0, 0, 255), 1)
            for index, (x, y) in enumerate(d.landmarks):
                colour = (255, 255, 0) if index == 0 else (0, 0, 255)
                cv2.circle(picture, (round(float(x)), round(float(y))), 1, colour, -1)
        cv2.imwrite(str(folder / f"{name.replace(' ', '_')}.png"), picture)


if __name__ == "__main__":
    main()
