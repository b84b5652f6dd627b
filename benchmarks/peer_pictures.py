"""Videos as numbered pictures and back, for programs that restore pictures only."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from benchmarks.peer_filters import with_picture
from vidrestore.colour.yuv_rgb import rgb_region
from vidrestore.errors import UsageError
from vidrestore.video import make_writer, open_input, probe, read_frames

_PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".webp"}


def copy(source: Path, target: Path, seconds: float, start: float | None = None) -> None:
    """`seconds` of a clean clip, without loss, from `start` or from its beginning."""
    given = open_input(source)
    info = probe(given)
    end = seconds + (start or 0)
    with make_writer(target, info, source=given, codec="ffv1", start=start, end=end) as writer:
        for frame in read_frames(given, info, start=start, end=end):
            writer.write(frame)


def write_pictures(source: Path, folder: Path) -> None:
    """The frames as numbered PNG."""
    for frame in read_frames(source, probe(source)):
        rgb = rgb_region(frame, 0, 0, frame.width, frame.height)
        codes = np.rint(rgb.clip(0, 1) * 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"{frame.index:05d}.png"), codes[..., ::-1])


def read_pictures(folder: Path, source: Path, target: Path) -> None:
    """The pictures under `folder` as a video with the frames, times and format of `source`.

    Of several folders with as many pictures as there are frames, the one with pictures of the frames' size
    counts, the first by name. Raises UsageError where there is none.
    """
    given = open_input(source)
    info = probe(given)
    frames = list(read_frames(given, info))
    by_folder: dict[Path, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in _PICTURES:
            by_folder.setdefault(path.parent, []).append(path)
    size = (info.height, info.width)
    fitting = [found for _, found in sorted(by_folder.items()) if len(found) == len(frames)]
    if not fitting:
        counts = {str(path.relative_to(folder)): len(found) for path, found in by_folder.items()}
        raise UsageError(f"it left no folder with {len(frames)} pictures: {counts or 'none at all'}")
    chosen = next((found for found in fitting if _size_of(found[0]) == size), fitting[0])
    with make_writer(target, info, source=given, codec="ffv1") as writer:
        for frame, path in zip(frames, chosen, strict=True):
            picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if picture is None or picture.shape[:2] != (frame.height, frame.width):
                raise UsageError(f"{path.name} is no picture of {frame.width} x {frame.height}")
            writer.write(with_picture(frame, np.ascontiguousarray(picture[..., ::-1]).astype(np.uint8)))


def _size_of(picture: Path) -> tuple[int, ...]:
    pixels = cv2.imread(str(picture), cv2.IMREAD_COLOR)
    return () if pixels is None else pixels.shape[:2]
