"""How many of a teacher's faces the embedded detector finds and follows, and how near its points are.

    python -m benchmarks.detection_recall TEACHER CLIP... [--proposals finder|cascade] [--weights FILE]
        [--failures FOLDER]

TEACHER is a checkpoint of RetinaFace. A teacher's face (score above 0.6) counts as found where a face of the
`detect` stage overlaps it by 0.3 or has its points within half an eye distance. Prints, for each clip, the
share of the teacher's faces found, the share of its frames with every face found, faces the teacher does not
see (a frame), the points' distance over that between the eyes, and milliseconds a frame.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np

from vidrestore.colour.yuv_rgb import downscaled_rgb
from vidrestore.detection import detect
from vidrestore.detection.cascade import CascadeProposals
from vidrestore.detection.embedded import EmbeddedDetector
from vidrestore.detection.finder_net import FinderProposals
from vidrestore.detection.retinaface import RetinaFaceDetector
from vidrestore.faces.boxes import overlap, smaller_side
from vidrestore.types import Detection, Frame
from vidrestore.video import probe, read_frames


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("teacher", type=Path)
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--network", default="retinaface_mobile0.25")
    parser.add_argument("--proposals", choices=("finder", "cascade"), default="finder")
    parser.add_argument("--finder", type=Path, help="weights of the face finder; else the embedded ones")
    parser.add_argument("--weights", type=Path, help="of the landmark network; else the embedded ones")
    parser.add_argument("--failures", type=Path, help="folder for pictures of frames with a face missed")
    parser.add_argument("--min-face", type=int, default=24)
    arguments = parser.parse_args()
    # Copies of 320 pixels: on larger ones it sees faces beyond its training, and several in one.
    teacher = RetinaFaceDetector(arguments.network, arguments.teacher, max_side=320)
    print(f"{'clip':18s} {'frames':>6s} {'faces':>6s} {'found':>7s} {'whole':>7s} {'extra':>6s} "
          f"{'error':>6s} {'ms':>5s}")  # fmt: skip
    proposals = CascadeProposals() if arguments.proposals == "cascade" else FinderProposals(arguments.finder)
    detector = EmbeddedDetector(proposals, arguments.weights)
    for clip in arguments.clips:
        measure(clip, teacher, detector, arguments.min_face, arguments.failures)


def measure(
    clip: Path, teacher: RetinaFaceDetector, detector: EmbeddedDetector, min_face: int, failures: Path | None
) -> None:
    """Prints the line of one clip."""
    seconds, started = 0.0, time.perf_counter()
    frames = whole = wanted = found = extra = 0
    errors: list[float] = []
    for result in detect(read_frames(clip, probe(clip)), detector, min_face=min_face):
        seconds += time.perf_counter() - started
        truth = [d for d in teacher.detect(result.frame) if smaller_side(d.box) >= min_face]
        near = [min((distance(t, d) for d in result.faces), default=np.inf) for t in truth]
        hits = [n < 0.5 or any(overlap(t.box, d.box) > 0.3 for d in result.faces)
                for t, n in zip(truth, near, strict=True)]  # fmt: skip
        frames, wanted, found = frames + 1, wanted + len(truth), found + sum(hits)
        whole += all(hits)
        extra += sum(all(distance(t, d) >= 0.5 and overlap(t.box, d.box) <= 0.1 for t in truth)
                     for d in result.faces)  # fmt: skip
        errors += [n for n, hit in zip(near, hits, strict=True) if hit and np.isfinite(n)]
        if failures is not None and (not all(hits) or len(result.faces) != len(truth)):
            draw(failures / f"{clip.stem}_{result.frame.index:04d}.png", result.frame, truth, result.faces)
        started = time.perf_counter()
    shares = found / max(wanted, 1), whole / max(frames, 1)
    print(
        f"{clip.stem:18s} {frames:6d} {wanted:6d} {shares[0]:7.1%} {shares[1]:7.1%} "
        f"{extra / max(frames, 1):6.2f} {np.median(errors) if errors else np.nan:6.1%} "
        f"{1000 * seconds / max(frames, 1):5.0f}"
    )


def distance(truth: Detection, other: Detection) -> float:
    """Mean distance of the five points over the truth's distance between the eyes, or size where turned."""
    size = max(float(np.hypot(*(truth.landmarks[1] - truth.landmarks[0]))), 0.3 * smaller_side(truth.box))
    return float(np.hypot(*(truth.landmarks - other.landmarks).T).mean()) / size


def draw(path: Path, frame: Frame, truth: list[Detection], faces: tuple[Detection, ...]) -> None:
    """The teacher's faces in green, ours in red."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = np.ascontiguousarray(downscaled_rgb(frame, 640)[0][:, :, ::-1])
    scale = picture.shape[1] / frame.width
    for colour, group in (((0, 255, 0), truth), ((0, 0, 255), faces)):
        for d in group:
            x0, y0, x1, y1 = (round(float(v) * scale) for v in d.box)
            cv2.rectangle(picture, (x0, y0), (x1, y1), colour, 1)
            cv2.putText(picture, f"{d.score:.2f}", (x0, y0), cv2.FONT_HERSHEY_PLAIN, 1, colour)
            for x, y in d.landmarks * scale:
                cv2.circle(picture, (round(float(x)), round(float(y))), 2, colour, -1)
    cv2.imwrite(str(path), picture)


if __name__ == "__main__":
    main()
