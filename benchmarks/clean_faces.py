"""Are clean faces left alone? Each is put into a frame at several sizes and restored with default settings.

    python -m benchmarks.clean_faces FACES [--count 5] [--sizes 160 230 320 460]

FACES is a folder of aligned faces without damage. A size is the side of the aligned face in the frame [px];
the face itself is some 0.55 of it. Printed for each size: the lowest PSNR of a restored face against the face
that went in, and the largest change of a pixel in codes of 8 bits.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

import vidrestore
from vidrestore.training.data.people import list_faces

FRAME = (720, 1280)
GREY = 118


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("faces", type=Path)
    parser.add_argument("--manifest", type=Path, help="as of training; by default FACES/manifest.csv")
    parser.add_argument("--count", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="+", default=[160, 230, 320, 460])
    arguments = parser.parse_args()
    held_out = [f for f in list_faces(arguments.faces, manifest=arguments.manifest) if f.is_held_out]
    chosen = held_out[:: max(1, len(held_out) // arguments.count)][: arguments.count]
    with vidrestore.Restorer(device="cpu") as restorer:
        for size in arguments.sizes:
            results = [_restore(restorer, file.path, size) for file in chosen]
            found = sum(faces for faces, _, _ in results)
            lowest, most = min(psnr for _, psnr, _ in results), max(codes for *_, codes in results)
            print(
                f"{size} px: {found} of {len(results)} faces found, at least {lowest:.1f} dB, "
                f"at most {most} codes",
                flush=True,
            )


def _restore(restorer: vidrestore.Restorer, path: Path, size: int) -> tuple[int, float, int]:
    """Faces found, PSNR [dB] and largest change [codes]."""
    picture = cv2.imread(str(path))
    assert picture is not None
    face = cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)[:, :, ::-1]
    frame = np.full((*FRAME, 3), GREY, np.uint8)
    y, x = (FRAME[0] - size) // 2, (FRAME[1] - size) // 2
    frame[y : y + size, x : x + size] = face
    restored = restorer.image(frame)
    change = (restored.picture.astype(np.float64) - frame)[y : y + size, x : x + size]
    psnr = 10 * np.log10(255**2 / max(float((change**2).mean()), 1e-3))
    return len(restored.faces), float(psnr), int(np.abs(change).max())


if __name__ == "__main__":
    main()
