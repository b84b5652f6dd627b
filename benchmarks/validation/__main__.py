"""Restored faces of people held out against their truth, beside the input and plain filters.

    python -m benchmarks.validation FACES [--networks FOLDER] [--evidence FILE] [--weights FILE]
        [--sets NAME ...] [--count N] [--sheets FOLDER] [--groups]

FACES is a folder of aligned faces with a manifest.csv; only people held out of training are used. Each face is
degraded once by each recipe of `recipes.py`, seeded by its name, so that every run measures the same pictures.
Rows: the input, non-local means of three strengths, a bilateral filter with an unsharp mask, and the product at
`--fidelity` 0 (plain DAEFR), 1 (the estimate alone) and auto (the rule).
NETWORKS is a folder of measuring networks; without it identity and perceptual distance are left out.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from benchmarks.validation.filters import NLM_STRENGTHS, bilateral_and_unsharp, nlm
from benchmarks.validation.metrics import COLUMNS, FaceMetrics, landmark_finder
from benchmarks.validation.product import product_rows
from benchmarks.validation.recipes import RECIPES
from vidrestore.training.data.people import FaceFile, list_faces
from vidrestore.types import FloatArray

PERCEPTUAL_COUNT = 16
WORST = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("faces", type=Path)
    parser.add_argument("--large-faces", type=Path, help="folder of 512-pixel faces, for the set `large`")
    parser.add_argument("--networks", type=Path, help="folder of networks that measure")
    parser.add_argument("--evidence", type=Path, help="weights of the evidence network")
    parser.add_argument("--weights", type=Path, help="weights of the generator")
    parser.add_argument("--sets", nargs="+", choices=list(RECIPES), default=list(RECIPES))
    parser.add_argument("--count", type=int, default=48, help="people at most in a set")
    parser.add_argument("--sheets", type=Path, help="folder for pictures of the worst ten of each set")
    parser.add_argument("--json", type=Path, help="file for every value of every face")
    arguments = parser.parse_args()
    landmarks = landmark_finder(
        arguments.networks / "yunet_640.onnx" if arguments.networks is not None else None
    )
    metrics = FaceMetrics(arguments.networks, landmarks)
    record = []
    for name in arguments.sets:
        files = _held_out(arguments.large_faces if name == "large" else arguments.faces, arguments.count,
                          arguments.faces / "manifest.csv")  # fmt: skip
        truths = [_read(file, large=name == "large") for file in files]
        inputs = [
            RECIPES[name](truth, _generator(f"{file.path.stem} {name}"))
            for file, truth in zip(files, truths, strict=True)
        ]
        if name == "clean":
            truths = inputs
        rows = {"input": inputs}
        for strength in NLM_STRENGTHS:
            rows[f"nlm {strength}"] = [nlm(face, strength) for face in inputs]
        rows["bilateral"] = [bilateral_and_unsharp(face) for face in inputs]
        for label, restore in product_rows(arguments.evidence, arguments.weights, inputs[0].shape[0]).items():
            start = time.perf_counter()
            rows[label] = restore(inputs)
            milliseconds = 1000 * (time.perf_counter() - start) / len(inputs)
            print(f"  {label}: {milliseconds:.0f} ms a face", flush=True)
        print(f"\n{name}: {len(files)} people held out, {inputs[0].shape[0]} pixels")
        print(f"{'':12s} " + " ".join(f"{column:>10s}" for column in COLUMNS))
        for label, faces in rows.items():
            values = np.array([
                metrics.measure(face, truth, perceptual=index < PERCEPTUAL_COUNT)
                for index, (face, truth) in enumerate(zip(faces, truths, strict=True))
            ])  # fmt: skip
            means = [*np.nanmean(values[:, :-1], axis=0), values[:, -1].max()]
            print(f"{label:12s} " + " ".join(f"{value:10.3f}" for value in means), flush=True)
            record += [
                {"set": name, "row": label, "file": file.path.name}
                | dict(zip(COLUMNS, map(float, line), strict=True))
                for file, line in zip(files, values, strict=True)
            ]
        if arguments.sheets:
            _write_sheet(arguments.sheets / f"{name}.png", rows, truths)
    if arguments.json:
        arguments.json.write_text(json.dumps(record, indent=1))


def _held_out(folder: Path, count: int, manifest: Path) -> list[FaceFile]:
    held_out = [face for face in list_faces(folder, manifest=manifest) if face.is_held_out]
    step = max(1, len(held_out) // count)
    return held_out[::step][:count]


def _read(file: FaceFile, *, large: bool) -> FloatArray:
    """The aligned face without its border."""
    picture = cv2.imread(str(file.path), cv2.IMREAD_COLOR)
    assert picture is not None, f"{file.path} cannot be read"
    if not large:
        border = (picture.shape[0] - 256) // 2
        picture = picture[border : border + 256, border : border + 256]
    return np.ascontiguousarray(picture[:, :, ::-1]).astype(np.float32) / 255


def _write_sheet(path: Path, rows: dict[str, list[FloatArray]], truths: Sequence[FloatArray]) -> None:
    """The faces on which the last row is worst against the input: a row of pictures for each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    labels = [label for label in rows if label in ("input", "nlm 6", "fidelity 0", "fidelity 1", "auto")]
    errors = [
        np.square(after - truth).mean() / max(np.square(before - truth).mean(), 1e-6)
        for after, before, truth in zip(rows[labels[-1]], rows["input"], truths, strict=True)
    ]
    worst = np.argsort(errors)[::-1][:WORST]
    sheet = np.concatenate([
        np.concatenate([*(rows[label][i] for label in labels), truths[i]], axis=1) for i in worst
    ])  # fmt: skip
    cv2.imwrite(str(path), np.round(sheet[:, :, ::-1] * 255).astype(np.uint8))


def _generator(name: str) -> np.random.Generator:
    return np.random.default_rng(list(hashlib.sha256(name.encode()).digest()[:8]))


if __name__ == "__main__":
    main()
