"""How far the ordinary way, planes -> RGB -> planes, moves pixels that nobody restored.

    python -m benchmarks.rgb_round_trip [CLIP]

Restores the clip with a lossless encoder, takes the samples that came back as they were (those outside the
faces' masks, and the few under them that were left alone), and sends the same frames through swscale's
default conversion to rgb24 and back, as a tool does that works on RGB frames.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

import vidrestore
from vidrestore.types import Frame
from vidrestore.video import probe, read_frames
from vidrestore.video.formats.pixel_formats import pack, unpack

SAMPLE = Path(__file__).parents[1] / "samples" / "old_film.mp4"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", nargs="?", type=Path, default=SAMPLE)
    clip = parser.parse_args().clip
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "restored.mkv"
        vidrestore.restore(clip, target, codec="ffv1")
        counts = np.zeros((3, 3), np.int64)  # planes x (samples outside, of them moved, greatest move)
        before, after = (read_frames(path, probe(path)) for path in (clip, target))
        for given, restored in zip(before, after, strict=True):
            for number, (a, b, c) in enumerate(
                zip(given.planes, restored.planes, _there_and_back(given), strict=False)
            ):
                outside = a == b
                move = np.abs(a.astype(int) - c)[outside]
                counts[number] += (outside.sum(), (move > 0).sum(), 0)
                counts[number, 2] = max(counts[number, 2], move.max(initial=0))
    for name, (samples, moved, most) in zip(("luma", "Cb", "Cr"), counts, strict=True):
        print(f"{name}: {moved / samples:.1%} of {samples} samples moved, by at most {most} codes")
    total = counts[:, 1].sum() / counts[:, 0].sum()
    print(f"all: {total:.1%}; vidrestore: none")


def _there_and_back(frame: Frame) -> tuple[NDArray[np.generic], ...]:
    picture: av.VideoFrame = pack(frame.planes, frame.format.name)
    rgb = picture.reformat(format="rgb24").to_ndarray()
    return unpack(av.VideoFrame.from_ndarray(rgb, "rgb24").reformat(format=frame.format.name))


if __name__ == "__main__":
    main()
