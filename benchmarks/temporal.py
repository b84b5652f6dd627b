"""Does blending over time steady faces without smearing them?

    python -m benchmarks.temporal CLIP... [--frames N] [--temporal 0 0.7] [--look-up hard] [--strips FOLDER]

Each clean CLIP is degraded in the ways of `benchmarks.degraded_clips`, its faces are found, followed, cut out
and restored as the product does it, once for each strength of blending, and compared with the clean faces at
the same places. Measured is the middle of the aligned face, from the brows to the chin:

    PSNR, SSIM   of each frame
    flicker      change between frames beyond the truth's own, in thousandths of the range
    unlike       how far the change is from the truth's own: counts the motion of lost detail too
    warping      squared change along the truth's motion (OpenCV DIS), in millionths
    mouth        mean absolute error around the mouth, in thousandths: ghosts show there first
    codes        of the positions where the truth stands still, how many change their code, a frame, in %

The last lines compare blending with the first strength given, and the points of the degraded faces before and
after tracking with those of the truth: jitter is the mean second difference in pixels.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice, pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.degraded_clips import KINDS, degrade
from vidrestore.detection import detect, make_detector
from vidrestore.evaluation.image import psnr, ssim
from vidrestore.evaluation.temporal import (
    flicker_of_pair,
    landmark_jitter,
    truth_motion,
    warping_error_of_pair,
)
from vidrestore.faces.alignment import align, warp_face
from vidrestore.restoration import (
    FaceCodes,
    FaceEstimate,
    FaceFeatures,
    FaceRestorer,
    FusedFace,
    TemporalBlend,
    make_restorer,
    restore,
)
from vidrestore.settings import Fidelity, Settings
from vidrestore.tracking import track
from vidrestore.types import AlignedFace, FloatArray, FrameFaces
from vidrestore.video import probe, read_frames
from vidrestore.weights import embedded_path

STILL = 0.012
"""Mean absolute change of the truth in a cell of the code grid, 0..1, below which nothing moves there."""
COLUMNS = ("PSNR dB", "SSIM", "flicker", "unlike", "warping", "mouth", "codes %")
MIDDLE = (slice(77, 225), slice(56, 200))
MOUTH = (slice(159, 215), slice(82, 174))
"""Rows and columns of the aligned face of 256 pixels."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("clips", type=Path, nargs="+", metavar="CLIP")
    parser.add_argument("--frames", type=int, default=100, help="of each clip, from its beginning")
    parser.add_argument("--weights", type=Path, help="default: the embedded ones")
    parser.add_argument("--fidelity", type=_fidelity, default="auto", help="as of vidrestore restore")
    parser.add_argument("--look-up", choices=("hard", "soft"), help="of codes; default: the product's")
    default = Settings.model_fields["temporal"].default
    parser.add_argument("--temporal", type=float, nargs="+", default=[0.0, default])
    parser.add_argument("--strips", type=Path, help="folder for strips of consecutive faces")
    arguments = parser.parse_args()
    restorer = make_restorer(
        arguments.weights or embedded_path("compact.safetensors"),
        device="cpu",
        fidelity=arguments.fidelity,
        look_up=arguments.look_up,
    )
    for clip in arguments.clips:
        for kind in KINDS:
            cut = cut_out(clip, kind, arguments.frames, restorer.size)
            rows = {"input": Row(faces=[face.image for face in cut.degraded])}
            for strength in arguments.temporal:
                rows[f"temporal {strength:g}"] = restored(restorer, cut, TemporalBlend(strength=strength))
            print(f"\n{clip.name}, {kind}: {len(cut.truth)} frames")
            print(f"{'':14s} " + " ".join(f"{column:>8s}" for column in COLUMNS))
            values = {label: measure(row, cut.truth) for label, row in rows.items()}
            for label, row_values in values.items():
                print(f"{label:14s} " + " ".join(f"{value:8.3f}" for value in row_values))
            labels = list(values)[1:]
            for label in labels[1:]:
                lower = [1 - b / a for a, b in zip(values[labels[0]], values[label], strict=True)]
                print(
                    f"{label} against {labels[0]}, lower by: flicker {lower[2]:.0%}, unlike {lower[3]:.0%}, "
                    f"warping {lower[4]:.0%}, mouth {lower[5]:.1%}, codes {lower[6]:.0%}; "
                    f"blending takes {rows[label].blending / rows[label].network:.1%} of the network's time"
                )
            print("jitter [px]: " + ", ".join(f"{name} {value:.2f}" for name, value in cut.jitter.items()))
            if arguments.strips:
                faces = [row.faces for row in rows.values()] + [cut.truth]
                write_strip(arguments.strips / f"{clip.stem}_{kind}.png", faces)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRange:
    """The one face of a clip, in every frame in which it was followed."""

    items: list[FrameFaces[AlignedFace]]
    degraded: list[AlignedFace]
    truth: list[FloatArray]
    """(S, S, 3), cut out of the clean frames at the same places."""
    jitter: dict[str, float]


@dataclass(slots=True, kw_only=True)
class Row:
    """What became of the faces."""

    faces: list[FloatArray]
    codes: list[NDArray[np.int64]] = field(default_factory=list)
    """(L, L) the codes that were decoded; of fewer frames than faces where nothing needed to be drawn."""
    network: float = 0.0
    """Seconds in the network alone."""
    blending: float = 0.0
    """Seconds besides it."""


def cut_out(clip: Path, kind: str, frames: int, size: int) -> TimeRange:
    """Degrade a clip and find its largest face throughout."""
    info = probe(clip)
    pairs = list(islice(degrade(read_frames(clip, info), kind), frames))
    detector = make_detector("embedded", "cpu")
    seen = list(detect((low for _, low in pairs), detector))
    tracked = list(track(seen))
    largest: dict[int, float] = {}
    for item in tracked:
        for face in item.faces:
            largest[face.track_id] = largest.get(face.track_id, 0.0) + float(np.ptp(face.box[[1, 3]]))
    wanted = max(largest, key=largest.__getitem__)
    kept = [
        FrameFaces(
            frame=item.frame, faces=tuple(f for f in item.faces if f.track_id == wanted), scene=item.scene
        )
        for item in tracked
    ]
    items = [align(item, size) for item in kept if item.faces]
    clean = {frame.index: frame for frame, _ in pairs}
    faces = [item.faces[0] for item in items]
    truth = [
        warp_face(clean[item.frame.index], face.to_crop, size)
        for item, face in zip(items, faces, strict=True)
    ]
    raw = [item.faces[0].landmarks for item in seen if len(item.faces) == 1]
    of_truth = [i.faces[0].landmarks for i in detect((c for c, _ in pairs), detector) if i.faces]
    jitter = {
        "detected": landmark_jitter(raw),
        "tracked": landmark_jitter(face.landmarks for face in faces),
        "detected in the truth": landmark_jitter(of_truth),
    }
    return TimeRange(items=items, degraded=faces, truth=truth, jitter=jitter)


class MonitoredReader:
    """A restorer that keeps the codes it decodes and the time it takes."""

    def __init__(self, restorer: FaceRestorer) -> None:
        self._restorer = restorer
        self.codes: list[Tensor] = []
        self.seconds = 0.0

    @property
    def size(self) -> int:
        return self._restorer.size

    @property
    def estimates(self) -> bool:
        return self._restorer.estimates

    @property
    def generates(self) -> bool:
        return self._restorer.generates

    def estimate(self, faces: Sequence[FloatArray]) -> list[FaceEstimate]:
        with self._timed():
            return self._restorer.estimate(faces)

    def encode(self, faces: Sequence[FloatArray]) -> list[FaceFeatures]:
        with self._timed():
            return self._restorer.encode(faces)

    def predict(self, features: Sequence[FaceFeatures]) -> list[FaceCodes]:
        with self._timed():
            return self._restorer.predict(features)

    def decode(self, codes: Sequence[FaceCodes]) -> list[FloatArray]:
        with self._timed():
            self.codes += [c.log_probabilities.argmax(0) for c in codes]
            return self._restorer.decode(codes)

    def fuse(self, faces: Sequence[tuple[FaceEstimate, FloatArray]]) -> list[FusedFace]:
        with self._timed():
            return self._restorer.fuse(faces)

    @contextmanager
    def _timed(self) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - began


def restored(restorer: FaceRestorer, cut: TimeRange, blend: TemporalBlend) -> Row:
    """The faces restored, with their codes and the time of network and blending."""
    watched = MonitoredReader(restorer)
    began = time.perf_counter()
    faces = [item.faces[0] for item in restore(cut.items, watched, blend)]
    seconds = time.perf_counter() - began
    return Row(
        faces=[face.image for face in faces],
        codes=[codes.cpu().numpy() for codes in watched.codes],
        network=watched.seconds,
        blending=seconds - watched.seconds,
    )


def measure(row: Row, truth: list[FloatArray]) -> list[float]:
    """The values of `COLUMNS`."""
    faces, wanted = [f[MIDDLE] for f in row.faces], [t[MIDDLE] for t in truth]
    pairs = list(zip(pairwise(faces), pairwise(wanted), strict=True))
    in_frame = [(psnr(x, y), ssim(x, y)) for x, y in zip(faces, wanted, strict=True)]
    over_time = [
        (
            np.maximum(np.abs(now - before) - np.abs(true_now - true_before), 0).mean(),
            flicker_of_pair(before, now, true_before, true_now),
            warping_error_of_pair(before, now, truth_motion(true_before, true_now)),
        )
        for (before, now), (true_before, true_now) in pairs
    ]
    excess, unlike, warping = np.nanmean(over_time, axis=0)
    mouth = np.mean([np.abs(x[MOUTH] - y[MOUTH]).mean() for x, y in zip(row.faces, truth, strict=True)])
    quality, likeness = np.mean(in_frame, axis=0)
    codes = 100 * _changes(row.codes, truth) if len(row.codes) == len(truth) else np.nan
    return [
        float(v) for v in (quality, likeness, 1e3 * excess, 1e3 * unlike, 1e6 * warping, 1e3 * mouth, codes)
    ]


def _fidelity(text: str) -> Fidelity:
    return "auto" if text == "auto" else float(text)


def write_strip(path: Path, rows: list[list[FloatArray]], first: int = 20, count: int = 8) -> None:
    """Consecutive faces side by side, a row a list, the truth last."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = np.vstack([np.hstack(row[first : first + count]) for row in rows])
    cv2.imwrite(str(path), np.rint(picture[:, :, ::-1].clip(0, 1) * 255).astype(np.uint8))


def _changes(codes: list[NDArray[np.int64]], truth: list[FloatArray]) -> float:
    """Share of the positions where the truth stands still whose code is not the frame before's."""
    side = codes[0].shape[0]
    changed, still = [], []
    for (before, now), (true_before, true_now) in zip(pairwise(codes), pairwise(truth), strict=True):
        moved = np.abs(true_now - true_before).mean(axis=2)
        still.append(cv2.resize(moved, (side, side), interpolation=cv2.INTER_AREA) < STILL)
        changed.append(before != now)
    return float(np.stack(changed)[np.stack(still)].mean())


if __name__ == "__main__":
    main()
