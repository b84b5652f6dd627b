"""Of the places where a first step sees a face and a teacher sees none, how many does the detector let pass?

    python -m benchmarks.false_accepts TEACHER PATH... [--every N] [--proposals cascade|finder]
        [--weights FILE]

TEACHER is YuNet's ONNX file for 640 pixels; a face of its at any score above 0.3 clears a place. PATHs are
pictures, folders of them, or videos, of which every Nth frame is used; each is seen as it is, mirrored, and
upside down, where much is proposed and the teacher still sees faces. Prints, for each path and in
all, the number of places without a face and the share that comes out as a face.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from vidrestore.colour.yuv_rgb import downscaled_rgb
from vidrestore.detection.cascade import CascadeProposals
from vidrestore.detection.embedded import EmbeddedDetector
from vidrestore.detection.finder_net import FinderProposals
from vidrestore.detection.proposals import Proposals
from vidrestore.faces.boxes import overlap
from vidrestore.types import ColourTags, FloatArray, Frame, PixelFormat, Plane
from vidrestore.video import probe, read_frames

SIDE = 640
PICTURES = {".png", ".jpg", ".jpeg"}
RGB = PixelFormat(name="gbrp", family="rgb", bit_depth=8)
VIEWS: tuple[Callable[[Plane], Plane], ...] = (
    lambda plane: plane,
    lambda plane: np.ascontiguousarray(plane[:, ::-1]),
    lambda plane: np.ascontiguousarray(plane[::-1]),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("teacher", type=Path)
    parser.add_argument("paths", type=Path, nargs="+")
    parser.add_argument("--every", type=int, default=20)
    parser.add_argument("--proposals", choices=("cascade", "finder"), default="cascade")
    parser.add_argument("--weights", type=Path, help="of the landmark network; else the embedded ones")
    arguments = parser.parse_args()
    teacher = cv2.FaceDetectorYN.create(str(arguments.teacher), "", (SIDE, SIDE), 0.3)
    proposals = CascadeProposals() if arguments.proposals == "cascade" else FinderProposals()
    detector = EmbeddedDetector(proposals, arguments.weights)
    total = np.zeros(2, np.int64)
    for path in arguments.paths:
        counts = np.zeros(2, np.int64)
        for frame in frames_of(path, arguments.every):
            for view in VIEWS:
                seen = replace(frame, planes=tuple(view(plane) for plane in frame.planes))
                counts += measure(seen, teacher, proposals, detector)
        report(path.name, counts)
        total += counts
    report("all", total)


def report(name: str, counts: np.ndarray) -> None:
    print(f"{name:20s} {counts[0]:6d} places without a face, {counts[1] / max(counts[0], 1):7.2%} accepted")


def measure(
    frame: Frame, teacher: cv2.FaceDetectorYN, proposals: Proposals, detector: EmbeddedDetector
) -> tuple[int, int]:
    """Places of one frame that are no face, and those among what comes out that are none."""
    rgb, scale = downscaled_rgb(frame, SIDE)
    canvas = np.full((SIDE, SIDE, 3), 127, np.uint8)
    canvas[: rgb.shape[0], : rgb.shape[1]] = rgb[:, :, ::-1]
    found = teacher.detect(canvas)[1]
    faces = (
        [] if found is None else [as_box(x + w / 2, y + h / 2, (w + h) / 2) for x, y, w, h in found[:, :4]]
    )
    squares = [square * scale for square in proposals.propose(frame, quick=False)]
    proposed = [as_box(x, y, 0.6 * side) for x, y, side in squares]
    empty = sum(all(overlap(box, face) < 0.05 for face in faces) for box in proposed)
    out = [d.box * np.float32(scale) for d in detector.detect(frame)]
    return empty, sum(all(overlap(box, face) < 0.05 for face in faces) for box in out)


def as_box(x: float, y: float, side: float) -> FloatArray:
    return np.array([x - side / 2, y - side / 2, x + side / 2, y + side / 2], np.float32)


def frames_of(path: Path, every: int) -> Iterator[Frame]:
    """The pictures of a folder, one picture, or every so many frames of a video."""
    if path.is_dir():
        for file in sorted(path.iterdir()):
            yield from frames_of(file, every)
    elif path.suffix.lower() in PICTURES:
        picture = cv2.imread(str(path))
        if picture is not None:
            planes = tuple(np.ascontiguousarray(picture[..., c]).astype(np.uint8) for c in (1, 0, 2))
            tags = ColourTags(matrix=0, full_range=True)
            yield Frame(
                index=0, pts=0, duration=0, time_base=Fraction(1), planes=planes, format=RGB, colour=tags
            )
    else:
        for frame in read_frames(path, probe(path)):
            if frame.index % every == 0:
                yield frame


if __name__ == "__main__":
    main()
