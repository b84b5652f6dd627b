"""`--upscale` against a restoration that is enlarged afterwards, and against the filter alone.

    python -m benchmarks.upscaling CLEAN... [--factors 2 4] [--frames 8]

The beginning of each clean clip is reduced by the factor (mean of the pixels), coded by H.264 at CRF 26, and
brought back to its size in three ways: by Lanczos alone, by a restoration at the reduced size that is
enlarged by Lanczos afterwards, and by `--upscale`. Each is evaluated against the clean clip as `vidrestore
evaluate` does. Width and height are cut to a multiple of twice the factor. Prints a table; values of several
clips are separated by commas.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

import vidrestore
from vidrestore.colour.upscale import upscale_frame, upscaled_info
from vidrestore.errors import VidrestoreError
from vidrestore.evaluation.evaluate import EvaluationSettings, evaluate
from vidrestore.evaluation.measures import BY_NAME
from vidrestore.evaluation.summary import summarise
from vidrestore.types import Frame, Plane, VideoInfo
from vidrestore.video import make_writer, open_input, probe, read_frames

CRF = 26
COLUMNS = ("face_psnr", "face_ssim", "identity", "vidd")
WAYS = ("Lanczos alone", "enlarged afterwards", "`--upscale {factor}`")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("clips", type=Path, nargs="+", metavar="CLEAN")
    parser.add_argument("--factors", type=int, nargs="+", choices=(2, 4), default=[2, 4])
    parser.add_argument("--frames", type=int, default=8)
    arguments = parser.parse_args()
    print(f"| | {' | '.join(BY_NAME[name].title for name in COLUMNS)} |\n|{'---|' * (len(COLUMNS) + 1)}")
    try:
        for factor in arguments.factors:
            found = [measure_clip(clip, factor, arguments.frames) for clip in arguments.clips]
            for line in rows(factor, found):
                print(line, flush=True)
    except VidrestoreError as error:
        parser.error(str(error))


def measure_clip(clip: Path, factor: int, frames: int) -> list[dict[str, float]]:
    """The means of `COLUMNS` for each of `WAYS`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        truth, small, restored = folder / "truth.mkv", folder / "small.mp4", folder / "restored.mkv"
        info = probe(clip)
        clean = [_cut(frame, 2 * factor) for frame in islice(read_frames(clip, info), frames)]
        cut = replace(info, width=clean[0].width, height=clean[0].height, frame_count=len(clean))
        write(clean, truth, clip, cut, codec="ffv1")
        reduced = replace(cut, width=cut.width // factor, height=cut.height // factor)
        write((_reduced(frame, factor) for frame in clean), small, clip, reduced, codec="h264", crf=CRF)
        vidrestore.restore(small, restored, codec="ffv1", device="cpu")
        results = [folder / f"{number}.mkv" for number in range(len(WAYS))]
        enlarge(small, results[0], factor)
        enlarge(restored, results[1], factor)
        vidrestore.restore(small, results[2], codec="ffv1", upscale=factor, device="cpu")
        return [means(result, truth) for result in results]


def enlarge(source: Path, target: Path, factor: int) -> None:
    """The video enlarged by the filter of `--upscale`, without loss."""
    info = probe(source)
    frames = (upscale_frame(frame, factor) for frame in read_frames(source, info))
    write(frames, target, source, upscaled_info(info, factor), codec="ffv1")


def write(
    frames: Iterable[Frame],
    target: Path,
    source: Path,
    info: VideoInfo,
    *,
    codec: str,
    crf: float | None = None,
) -> None:
    """The frames as a video with the properties `info`; `source` is the file that they came from."""
    with make_writer(target, info, source=open_input(source), codec=codec, crf=crf) as writer:
        for frame in frames:
            writer.write(frame)


def means(result: Path, truth: Path) -> dict[str, float]:
    """The means of `COLUMNS`."""
    found = evaluate(result, truth=truth, given=None, settings=EvaluationSettings(device="cpu", worst=0))
    return {row.measure.name: row.mean for row in summarise(found) if row.subject == "result"}


def rows(factor: int, clips: Sequence[Sequence[dict[str, float]]]) -> Iterator[str]:
    """Lines of the table: one for each way, with the values of all clips."""
    for number, way in enumerate(WAYS):
        cells = [
            ", ".join(
                f"{ways[number][name]:.{BY_NAME[name].digits}f}" if name in ways[number] else "-"
                for ways in clips
            )
            for name in COLUMNS
        ]
        yield f"| reduced by {factor}, {way.format(factor=factor)} | {' | '.join(cells)} |"


def _cut(frame: Frame, multiple: int) -> Frame:
    """The frame's part from the upper left whose sides are multiples."""
    width, height = (side // multiple * multiple for side in (frame.width, frame.height))
    return replace(frame, planes=_planes(frame, width, height, cut=True))


def _reduced(frame: Frame, factor: int) -> Frame:
    return replace(frame, planes=_planes(frame, frame.width // factor, frame.height // factor, cut=False))


def _planes(frame: Frame, width: int, height: int, *, cut: bool) -> tuple[Plane, ...]:
    planes = []
    for index, plane in enumerate(frame.planes):
        is_chroma = frame.format.family == "yuv" and index in (1, 2)
        right, down = frame.format.chroma_shift if is_chroma else (0, 0)
        columns, lines = width >> right, height >> down
        if cut:
            part = plane[:lines, :columns]
        else:
            part = np.asarray(cv2.resize(plane, (columns, lines), interpolation=cv2.INTER_AREA), plane.dtype)
        planes.append(np.ascontiguousarray(part))
    return tuple(planes)


if __name__ == "__main__":
    main()
