"""Faces of restored videos against their truth.

    python -m benchmarks.sample_quality INPUT TRUTH OUTPUT... [--detector NAME] [--strip PNG]

Faces are found in the truth, and every video is cut at the truth's landmarks, smoothed over time: so the
measure does not depend on what a detector makes of a damaged or restored face, and the cutting itself does
not jitter. Measured is the middle of the aligned face, from the brows to the chin. All videos are read once,
frame by frame.

The input's edge energy contains its grain, and its flicker the flicker of its exposure. Warping errors are
printed in thousandths.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.detection import make_detector
from vidrestore.errors import InputError
from vidrestore.evaluation.image import edge_energy_ratio, psnr, ssim
from vidrestore.evaluation.temporal import flicker_of_pair, truth_motion, warping_error_of_pair
from vidrestore.faces.alignment import similarity, warp_face
from vidrestore.types import Detection, FloatArray, Frame, VideoInfo
from vidrestore.video import probe, read_frames

SIZE = 256
MIDDLE = (slice(round(0.30 * SIZE), round(0.88 * SIZE)), slice(round(0.22 * SIZE), round(0.78 * SIZE)))
"""Rows and columns of the aligned face that are measured."""

_COLUMNS = ("PSNR dB", "SSIM", "edges", "flicker", "warping")
_SMOOTHING_RADIUS = 3
_CUT_CHANGE = 0.12
"""Mean change of a thumbnail's luma, 0..1, above which two frames belong to different shots."""

Tracks = list[dict[int, FloatArray]]
"""A face each: frame index -> (5, 2) landmarks [frame px]."""


@dataclass(slots=True)
class Scores:
    """What has been measured of one video."""

    by_frame: list[tuple[float, float, float]] = field(default_factory=list)
    by_pair: list[tuple[float, float]] = field(default_factory=list)

    def row(self) -> list[float]:
        """The values of the table's columns; nan where nothing was measured."""
        frame = np.mean(self.by_frame, axis=0) if self.by_frame else np.full(3, np.nan)
        pair = np.nanmean(self.by_pair, axis=0) if self.by_pair else np.full(2, np.nan)
        return [*frame, pair[0], 1000 * pair[1]]


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare faces of restored videos with the truth.")
    parser.add_argument("input", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("outputs", type=Path, nargs="+", metavar="OUTPUT")
    parser.add_argument("--detector", default="embedded", help="finds the faces in the truth")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--strip", type=Path, metavar="PNG", help="write consecutive faces, a row a video")
    parser.add_argument("--strip-start", type=int, default=40, metavar="FRAME")
    parser.add_argument("--strip-frames", type=int, default=8, metavar="N")
    arguments = parser.parse_args()

    tracks = find_tracks(arguments.truth, arguments.detector, arguments.device)
    videos = [arguments.input, *arguments.outputs]
    scores = measure(videos, arguments.truth, tracks)
    _print_table(videos, scores, tracks)
    if arguments.strip is not None:
        frames = range(arguments.strip_start, arguments.strip_start + arguments.strip_frames)
        write_strip(arguments.strip, [*videos, arguments.truth], tracks, frames)


def find_tracks(truth: Path, detector_name: str, device: str) -> Tracks:
    """The faces of the truth with their landmarks smoothed over time, the longest first."""
    detector = make_detector(detector_name, device)
    finished: Tracks = []
    current: list[tuple[FloatArray, dict[int, FloatArray]]] = []
    before: FloatArray | None = None
    for frame in read_frames(truth, probe(truth)):
        thumbnail = _thumbnail(frame)
        if before is not None and float(np.abs(thumbnail - before).mean()) > _CUT_CHANGE:
            finished += [track for _, track in current]
            current = []
        before = thumbnail
        continued = _continued(current, detector.detect(frame), frame.index)
        ended = {id(track) for _, track in current} - {id(track) for _, track in continued}
        finished += [track for _, track in current if id(track) in ended]
        current = continued
    finished += [track for _, track in current]
    return sorted((_smoothed(track) for track in finished), key=len, reverse=True)


def measure(videos: list[Path], truth: Path, tracks: Tracks) -> list[Scores]:
    """The scores of each video, faces of all tracks counted alike."""
    scores = [Scores() for _ in videos]
    before: dict[int, list[FloatArray]] = {}
    for frames in _together([*videos, truth]):
        now: dict[int, list[FloatArray]] = {}
        for number, landmarks in _faces_at(tracks, frames[-1]):
            now[number] = [_middle(frame, landmarks) for frame in frames]
            _measure_frame(scores, now[number])
            if number in before:
                _measure_pair(scores, before[number], now[number])
        before = now
    return scores


def write_strip(path: Path, videos: list[Path], tracks: Tracks, wanted: range) -> None:
    """Consecutive whole aligned faces of the first track seen at the first frame, a row a video."""
    columns = []
    chosen: int | None = None
    for frames in islice(_together(videos), wanted.start, wanted.stop):
        for number, landmarks in _faces_at(tracks, frames[-1]):
            if chosen in (None, number):
                chosen = number
                to_crop = similarity(landmarks, SIZE)
                columns.append(np.vstack([warp_face(frame, to_crop, SIZE) for frame in frames]))
    if not columns:
        raise InputError(
            f"no face between frames {wanted.start} and {wanted.stop}; choose another --strip-start"
        )
    picture = np.rint(np.hstack(columns).clip(0, 1) * 255).astype(np.uint8)
    cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))


def _print_table(videos: list[Path], scores: list[Scores], tracks: Tracks) -> None:
    faces = len(scores[0].by_frame)
    print(f"{faces} faces measured in {len(tracks)} tracks of {[len(track) for track in tracks]} frames")
    width = max(len(video.name) for video in videos)
    print(" " * width, *(f"{column:>9}" for column in _COLUMNS))
    for video, score in zip(videos, scores, strict=True):
        print(f"{video.name:{width}}", *(f"{value:9.4f}" for value in score.row()))


def _thumbnail(frame: Frame) -> FloatArray:
    luma = frame.planes[0].astype(np.float32) / (2**frame.format.bit_depth - 1)
    return np.asarray(cv2.resize(luma, (48, 36), interpolation=cv2.INTER_AREA), np.float32)


def _continued(
    current: list[tuple[FloatArray, dict[int, FloatArray]]], found: tuple[Detection, ...], index: int
) -> list[tuple[FloatArray, dict[int, FloatArray]]]:
    """Every detection with the track it belongs to, a new one where its middle was in no face before."""
    continued = []
    free = list(current)
    for detection in found:
        middle = detection.landmarks.mean(axis=0)
        near = [item for item in free if _is_inside(middle, item[0])]
        if near:
            nearest = min(near, key=lambda item: float(np.abs(_centre(item[0]) - middle).sum()))
            free = [item for item in free if item is not nearest]
            track = nearest[1]
        else:
            track = {}
        track[index] = detection.landmarks
        continued.append((detection.box, track))
    return continued


def _centre(box: FloatArray) -> FloatArray:
    return np.asarray((box[:2] + box[2:]) / 2)


def _is_inside(point: FloatArray, box: FloatArray) -> bool:
    return bool((point >= box[:2]).all() and (point < box[2:]).all())


def _smoothed(track: dict[int, FloatArray]) -> dict[int, FloatArray]:
    """Each frame's landmarks after a straight line through their neighbours, which lags behind no motion."""
    indices = np.array(sorted(track))
    points = np.stack([track[index] for index in indices]).reshape(len(indices), -1)
    smoothed = {}
    for index in indices:
        near = np.abs(indices - index) <= _SMOOTHING_RADIUS
        degree = 1 if near.sum() > 2 else 0
        line = np.polynomial.polynomial.polyfit(indices[near] - index, points[near], degree)
        smoothed[int(index)] = line[0].reshape(5, 2).astype(np.float32)
    return smoothed


def _together(paths: list[Path]) -> Iterator[tuple[Frame, ...]]:
    """The same frame of every video; InputError where one is of another size or shorter than the others."""
    infos = [probe(path) for path in paths]
    for path, info in zip(paths, infos, strict=True):
        if (info.width, info.height) != (infos[0].width, infos[0].height):
            raise InputError(
                f"{path} is {_size(info)}, but {paths[0]} is {_size(infos[0])}; compare equal sizes"
            )
    readers = [read_frames(path, info) for path, info in zip(paths, infos, strict=True)]
    try:
        yield from zip(*readers, strict=True)
    except ValueError as error:
        raise InputError(f"the videos do not have the same number of frames: {error}") from error


def _size(info: VideoInfo) -> str:
    return f"{info.width} x {info.height}"


def _faces_at(tracks: Tracks, frame: Frame) -> Iterator[tuple[int, FloatArray]]:
    """Tracks whose measured region lies wholly inside this frame."""
    for number, track in enumerate(tracks):
        landmarks = track.get(frame.index)
        if landmarks is not None and _is_whole(similarity(landmarks, SIZE), frame):
            yield number, landmarks


def _is_whole(to_crop: NDArray[np.float64], frame: Frame) -> bool:
    rows, columns = MIDDLE
    corners = np.array([(x, y) for x in (columns.start, columns.stop) for y in (rows.start, rows.stop)])
    in_frame = (corners - to_crop[:, 2]) @ np.linalg.inv(to_crop[:, :2]).T
    return bool((in_frame >= 0).all() and (in_frame <= (frame.width - 1, frame.height - 1)).all())


def _middle(frame: Frame, landmarks: FloatArray) -> FloatArray:
    return np.asarray(warp_face(frame, similarity(landmarks, SIZE), SIZE)[MIDDLE])


def _measure_frame(scores: list[Scores], faces: list[FloatArray]) -> None:
    *others, truth = faces
    for score, face in zip(scores, others, strict=True):
        score.by_frame.append((psnr(face, truth), ssim(face, truth), edge_energy_ratio(face, truth)))


def _measure_pair(scores: list[Scores], before: list[FloatArray], now: list[FloatArray]) -> None:
    motion = truth_motion(before[-1], now[-1])
    for score, face_before, face_now in zip(scores, before[:-1], now[:-1], strict=True):
        score.by_pair.append(
            (
                flicker_of_pair(face_before, face_now, before[-1], now[-1]),
                warping_error_of_pair(face_before, face_now, motion),
            )
        )


if __name__ == "__main__":
    main()
