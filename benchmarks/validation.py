"""How well a model restores people it has never seen.

    python -m benchmarks.validation FACES [--weights FILE] [--sheet PNG] [--count N]

FACES is the folder the model was trained on; only the files held out by the hash of their name are used. Each
is degraded once by stage three's recipe, seeded by its name, so every run measures the same pictures. Prints
means over people for the input and for the restored face, and milliseconds a face on this machine.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from pathlib import Path

import cv2
import numpy as np

from vidrestore.evaluation import edge_energy_ratio, psnr, ssim
from vidrestore.restoration import DaefrRestorer, make_restorer
from vidrestore.training.config import DataConfig, TrainConfig, read_config
from vidrestore.training.dataset import make_pair, split_people
from vidrestore.types import FloatArray
from vidrestore.weights import embedded_path

CONFIG = Path(__file__).parents[1] / "configs" / "train" / "compact_restoration.yaml"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("faces", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--sheet", type=Path, help="picture of input, restored and truth")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--look-up", choices=["hard", "soft"], default="soft")
    parser.add_argument("--rows", type=int, default=8)
    arguments = parser.parse_args()
    config: TrainConfig = read_config(CONFIG, [f"data.faces={arguments.faces}"])
    restorer = make_restorer(arguments.weights or embedded_path("compact.safetensors"))
    restorer._look_up = arguments.look_up
    pairs = validation_pairs(config.data, restorer.size, arguments.count)
    restored, milliseconds = restore_all(restorer, [low for _, low in pairs])
    print(f"{len(pairs)} people held out, stage three's degradation at {restorer.size} pixels")
    print(f"{'':10s} {'PSNR':>7s} {'SSIM':>7s} {'edges':>7s}")
    truth = [clean for clean, _ in pairs]
    for name, images in (("input", [low for _, low in pairs]), ("restored", restored)):
        rows = [measure(x, y) for x, y in zip(images, truth, strict=True)]
        print(f"{name:10s} " + " ".join(f"{value:7.3f}" for value in np.mean(rows, 0)))
    print(f"{milliseconds:.0f} ms a face, one at a time")
    if arguments.sheet:
        write_sheet(arguments.sheet, pairs[: arguments.rows], restored)


def validation_pairs(data: DataConfig, size: int, count: int) -> list[tuple[FloatArray, FloatArray]]:
    """Clean and degraded faces (S, S, 3) of the people held out."""
    _, held = split_people(data)
    return [make_pair(p, size, data, _generator(p.stem), augment=False) for p in held[:count]]


def restore_all(restorer: DaefrRestorer, faces: list[FloatArray]) -> tuple[list[FloatArray], float]:
    """Restored faces, one at a time, and the median milliseconds of one."""
    restored, seconds = [], []
    for face in faces:
        began = time.perf_counter()
        restored += restorer.decode(restorer.encode([face]))
        seconds.append(time.perf_counter() - began)
    return restored, 1000 * float(np.median(seconds))


def measure(image: FloatArray, truth: FloatArray) -> tuple[float, float, float]:
    return psnr(image, truth), ssim(image, truth), edge_energy_ratio(image, truth)


def write_sheet(path: Path, pairs: list[tuple[FloatArray, FloatArray]], restored: list[FloatArray]) -> None:
    """Columns of people; rows: input, restored, truth."""
    rows = [
        np.concatenate([low for _, low in pairs], 1),
        np.concatenate(restored[: len(pairs)], 1),
        np.concatenate([clean for clean, _ in pairs], 1),
    ]
    sheet = np.round(np.concatenate(rows) * 255).astype(np.uint8)
    cv2.imwrite(str(path), sheet[:, :, ::-1])


def _generator(name: str) -> np.random.Generator:
    return np.random.default_rng(list(hashlib.sha256(name.encode()).digest()[:8]))


if __name__ == "__main__":
    main()
