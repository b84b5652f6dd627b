"""Restored faces of people held out against their truth, beside the input and plain filters.

    python -m benchmarks.validation FACES [--large-faces FOLDER] [--networks FOLDER] [--evidence FILE]
        [--weights FILE] [--sets NAME ...] [--count N] [--sheets FOLDER] [--groups] [--json FILE]

FACES is a folder of aligned faces with a manifest.csv; only people held out of training are used. Each face
is degraded once by each recipe of `recipes.py`, seeded by its name, so every run measures the same pictures.
Rows: the input, non-local means of three strengths, a bilateral filter with an unsharp mask, and the product
at `--fidelity` 0 (plain DAEFR), 1 (the estimate alone) and auto (the rule, the default).
NETWORKS is a folder of measuring networks; without it, identity and perceptual distance are left out.
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
from numpy.typing import NDArray

from benchmarks.validation.filters import NLM_STRENGTHS, bilateral_and_unsharp, nlm
from benchmarks.validation.groups import GROUPS
from benchmarks.validation.metrics import COLUMNS, FaceMetrics, landmark_finder
from benchmarks.validation.product import product_rows
from benchmarks.validation.recipes import RECIPES
from vidrestore.evidence.two_size_files import EvidenceFiles
from vidrestore.training.data.people import FaceFile, list_faces
from vidrestore.types import FloatArray

PERCEPTUAL_COUNT = 16
"""Faces of a set whose perceptual distance is measured: it takes longer than all else together."""
WORST = 10
SHOWN = ("input", "nlm 6", "fidelity 0", "fidelity 1", "auto")
"""Rows on a contact sheet; the truth comes last."""

Rows = dict[str, list[FloatArray]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("faces", type=Path)
    parser.add_argument("--large-faces", type=Path, help="folder of 512-pixel faces, for the set `large`")
    parser.add_argument("--networks", type=Path, help="folder of networks that measure")
    parser.add_argument("--evidence", type=Path, help="weights of the evidence network")
    parser.add_argument("--evidence-half", type=Path, help="the same for half size, beside --evidence")
    parser.add_argument("--evidence-refinement", type=Path, help="the same to refine those, beside it")
    parser.add_argument("--weights", type=Path, help="weights of the generator")
    parser.add_argument("--sets", nargs="+", choices=list(RECIPES), default=list(RECIPES))
    parser.add_argument("--count", type=int, default=48, help="people at most in a set")
    parser.add_argument("--groups", action="store_true", help="also the gain in PSNR of each group of people")
    parser.add_argument("--sheets", type=Path, help="folder for pictures of the worst ten of each set")
    parser.add_argument("--json", type=Path, help="file for every value of every face")
    arguments = parser.parse_args()
    teacher = arguments.networks / "yunet_640.onnx" if arguments.networks is not None else None
    metrics = FaceMetrics(arguments.networks, landmark_finder(teacher))
    evidence = None
    if arguments.evidence is not None:
        evidence = EvidenceFiles(arguments.evidence, arguments.evidence_half, arguments.evidence_refinement)
    restorers = product_rows(evidence, arguments.weights)
    record = []
    for name in arguments.sets:
        is_large = name == "large" and arguments.large_faces is not None
        folder = arguments.large_faces if is_large else arguments.faces
        files = _held_out(folder, arguments.count, arguments.faces / "manifest.csv")
        truths, inputs = _make_pairs(name, files, is_large)
        rows: Rows = {"input": inputs}
        rows |= {f"nlm {strength}": [nlm(face, strength) for face in inputs] for strength in NLM_STRENGTHS}
        rows["bilateral"] = [bilateral_and_unsharp(face) for face in inputs]
        milliseconds = []
        for label, restore in restorers.items():
            start = time.perf_counter()
            rows[label] = restore(inputs)
            milliseconds.append(f"{label} {1000 * (time.perf_counter() - start) / len(inputs):.0f}")
        print(f"\n{name}: {len(files)} people held out, {inputs[0].shape[0]} pixels;", end=" ")
        print(f"milliseconds a face: {', '.join(milliseconds)}")
        values = {label: _measure(metrics, faces, truths) for label, faces in rows.items()}
        _print_table(values)
        if arguments.groups and name != "clean":
            _print_groups(files, values)
        record += [
            {"set": name, "row": label, "file": file.path.name}
            | dict(zip(COLUMNS, map(float, line), strict=True))
            for label, lines in values.items()
            for file, line in zip(files, lines, strict=True)
        ]
        if arguments.sheets:
            _write_sheet(arguments.sheets / f"{name}.png", rows, truths)
    if arguments.json:
        arguments.json.write_text(json.dumps(record, indent=1), encoding="utf-8")


def _held_out(folder: Path, count: int, manifest: Path) -> list[FaceFile]:
    """At most `count` files of people held out, spread over the folder."""
    held_out = [face for face in list_faces(folder, manifest=manifest) if face.is_held_out]
    return held_out[:: max(1, len(held_out) // count)][:count]


def _make_pairs(
    name: str, files: Sequence[FaceFile], is_large: bool
) -> tuple[list[FloatArray], list[FloatArray]]:
    """Truths and their degraded copies; clean faces are their own truth."""
    truths = [_read(file, has_border=not is_large) for file in files]
    inputs = [
        RECIPES[name](truth, _generator(f"{file.path.stem} {name}"))
        for file, truth in zip(files, truths, strict=True)
    ]
    return (inputs if name == "clean" else truths), inputs


def _read(file: FaceFile, *, has_border: bool) -> FloatArray:
    """The aligned face, 256 pixels a side without its border, or as large as it is."""
    picture = cv2.imread(str(file.path), cv2.IMREAD_COLOR)
    assert picture is not None, f"{file.path} cannot be read"
    if has_border:
        border = (picture.shape[0] - 256) // 2
        picture = picture[border : border + 256, border : border + 256]
    return np.ascontiguousarray(picture[:, :, ::-1]).astype(np.float32) / 255


def _measure(
    metrics: FaceMetrics, faces: Sequence[FloatArray], truths: Sequence[FloatArray]
) -> NDArray[np.float64]:
    """(faces, columns)"""
    return np.array([
        metrics.measure(face, truth, perceptual=index < PERCEPTUAL_COUNT)
        for index, (face, truth) in enumerate(zip(faces, truths, strict=True))
    ])  # fmt: skip


def _print_table(values: dict[str, NDArray[np.float64]]) -> None:
    """Means over people, and the largest change of a pixel of anybody."""
    print(f"{'':12s} " + " ".join(f"{column:>10s}" for column in COLUMNS))
    for label, lines in values.items():
        means = [*np.nanmean(lines[:, :-1], axis=0), lines[:, -1].max()]
        print(f"{label:12s} " + " ".join(f"{value:10.3f}" for value in means), flush=True)


def _print_groups(files: Sequence[FaceFile], values: dict[str, NDArray[np.float64]]) -> None:
    """The gain in PSNR of the default over the input, by group of people."""
    gain = values["auto"][:, 0] - values["input"][:, 0]
    parts = [f"all {gain.mean():+.2f} dB"]
    for name, is_member in GROUPS.items():
        members = np.array([is_member(file) for file in files])
        if members.any():
            parts.append(f"{name} ({members.sum()}) {gain[members].mean():+.2f}")
    print(f"{'gain':12s} {', '.join(parts)}")


def _write_sheet(path: Path, rows: Rows, truths: Sequence[FloatArray]) -> None:
    """The faces on which the default is worst against the input: a line of pictures for each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    errors = [
        float(np.square(after - truth).mean()) / max(float(np.square(before - truth).mean()), 1e-6)
        for after, before, truth in zip(rows["auto"], rows["input"], truths, strict=True)
    ]
    worst = np.argsort(errors)[::-1][:WORST]
    sheet = np.concatenate(
        [np.concatenate([*(rows[label][i] for label in SHOWN), truths[i]], axis=1) for i in worst]
    )
    cv2.imwrite(str(path), np.round(sheet[:, :, ::-1] * 255).astype(np.uint8))


def _generator(name: str) -> np.random.Generator:
    return np.random.default_rng(list(hashlib.sha256(name.encode()).digest()[:8]))


if __name__ == "__main__":
    main()
