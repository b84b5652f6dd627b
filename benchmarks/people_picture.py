"""People as they came and as they were restored, with labels: the picture at the top of README.md.

    python -m benchmarks.people_picture PORTRAITS PICTURE [--people NAME:RECIPE ...]

PORTRAITS is a folder of photographs of one person each. Each is degraded by a recipe of the validation, which
is not one of training, and restored with the default settings; `clean` shows a case where nothing should
change. The columns are: as it came, a plain filter (non-local means), restored, the truth.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import vidrestore
from benchmarks.validation.filters import nlm
from benchmarks.validation.recipes import RECIPES
from vidrestore.types import FloatArray

SIDE = 300
GAP, LABEL = 4, 26
COLUMNS = ("as it came", "plain filter", "restored", "truth")
LABELS = {
    "film": "worn film",
    "vhs": "video tape",
    "codec": "codec at a low bit rate",
    "severe": "a face of 30 pixels",
    "noise": "a sensor in the dark",
    "mild": "a little noise",
    "clean": "clean: left alone",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("portraits", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--people", nargs="+", required=True, metavar="NAME:RECIPE")
    arguments = parser.parse_args()
    rows = []
    with vidrestore.Restorer(device="cpu") as restorer:
        for entry in arguments.people:
            name, recipe = entry.split(":")
            truth = read_square(arguments.portraits / f"{name}.jpg")
            seed = list(hashlib.sha256(entry.encode()).digest()[:8])
            came = truth if recipe == "clean" else RECIPES[recipe](truth, np.random.default_rng(seed))
            restored = restorer.image(came).picture
            rows.append(label_row([came, nlm(came, 6), restored, truth], LABELS[recipe]))
    sheet = np.concatenate([header(), *rows])
    arguments.picture.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(arguments.picture), sheet[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])


def read_square(path: Path) -> FloatArray:
    """The portrait's upper square, (256, 256, 3) RGB in 0..1."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise SystemExit(f"{path} is not a picture that can be read")
    side = min(picture.shape[:2])
    square = cv2.resize(picture[:side, :side], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(np.asarray(square)[:, :, ::-1]).astype(np.float32) / 255


def label_row(pictures: list[FloatArray], text: str) -> NDArray[np.uint8]:
    """Pictures side by side, the damage's name written into the first."""
    codes = [np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8) for picture in pictures]
    first = np.ascontiguousarray(codes[0])
    cv2.rectangle(first, (0, SIDE - LABEL), (SIDE, SIDE), (0, 0, 0), -1)
    cv2.putText(first, text, (8, SIDE - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
    parts = [first]
    for picture in codes[1:]:
        parts += [np.full((SIDE, GAP, 3), 255, np.uint8), picture]
    row = np.concatenate(parts, axis=1)
    return np.concatenate([row, np.full((GAP, row.shape[1], 3), 255, np.uint8)])


def header() -> NDArray[np.uint8]:
    """The names of the columns."""
    width = len(COLUMNS) * SIDE + (len(COLUMNS) - 1) * GAP
    line = np.full((LABEL, width, 3), 255, np.uint8)
    for index, text in enumerate(COLUMNS):
        at = (index * (SIDE + GAP) + 8, LABEL - 8)
        cv2.putText(line, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    return line


if __name__ == "__main__":
    main()
