"""Faces of several videos, one below the other, as one picture.

    vidrestore restore samples/old_film.mp4 restored.mp4
    vidrestore restore samples/old_film.mp4 grainy.mp4 --grain 0.5
    python samples/before_after.py samples/old_film.mp4 restored.mp4 grainy.mp4 faces.jpg \\
        --frames 30 70 100

For each frame the largest face of the first video, with a margin around it, and the same of the others.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.colour.yuv_rgb import rgb_region
from vidrestore.detection import FaceDetector, make_detector
from vidrestore.types import Frame
from vidrestore.video import probe, read_frames

HEIGHT = 320
GAP = 6


def main() -> None:
    parser = argparse.ArgumentParser(description="Faces of several videos, one below the other.")
    parser.add_argument("videos", type=Path, nargs="+")
    parser.add_argument("picture", type=Path)
    parser.add_argument("--frames", type=int, nargs="+", required=True)
    parser.add_argument("--margin", type=float, default=1.7, help="side of the cut over the side of the face")
    arguments = parser.parse_args()
    rows = [wanted_frames(path, arguments.frames) for path in arguments.videos]
    detector = make_detector("embedded", "cpu")
    columns = []
    for frames in zip(*rows, strict=True):
        region = region_around_face(frames[0], detector, arguments.margin)
        cuts = [np.clip(rgb_region(frame, *region), 0, 1) for frame in frames]
        columns.append(stack([fit(cut) for cut in cuts], axis=0))
    arguments.picture.parent.mkdir(parents=True, exist_ok=True)
    picture = np.round(stack(columns, axis=1) * 255).astype(np.uint8)
    cv2.imwrite(str(arguments.picture), picture[:, :, ::-1])


def wanted_frames(path: Path, wanted: list[int]) -> list[Frame]:
    """The frames of those indices, in their order."""
    found = {f.index: f for f in read_frames(path, probe(path)) if f.index in wanted}
    return [found[index] for index in wanted]


def region_around_face(frame: Frame, detector: FaceDetector, margin: float) -> tuple[int, int, int, int]:
    """x0 y0 x1 y1 of a square around the largest face, inside the frame."""
    faces = detector.detect(frame)
    if not faces:
        raise SystemExit(f"no face in frame {frame.index}")
    x0, y0, x1, y1 = max((face.box for face in faces), key=lambda box: float(box[2] - box[0]))
    side = min(int((x1 - x0) * margin), frame.width, frame.height)
    left = int(np.clip((x0 + x1 - side) / 2, 0, frame.width - side))
    top = int(np.clip((y0 + y1 - side) / 2, 0, frame.height - side))
    return left, top, left + side, top + side


def fit(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """The square picture at the sheet's size."""
    return np.asarray(cv2.resize(picture, (HEIGHT, HEIGHT), interpolation=cv2.INTER_CUBIC)).clip(0, 1)


def stack(pictures: list[NDArray[np.float32]], axis: int) -> NDArray[np.float32]:
    """Along an axis, with a white gap between."""
    parts = []
    for picture in pictures:
        shape = list(picture.shape)
        shape[axis] = GAP
        parts += [picture, np.ones(shape, np.float32)]
    return np.concatenate(parts[:-1], axis=axis)


if __name__ == "__main__":
    main()
