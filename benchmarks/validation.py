"""How well a model restores people it has never seen.

    python -m benchmarks.validation FACES [--weights FILE] [--autoencoder FILE] [--teacher YUNET] [--sheets D]

FACES is the folder the model was trained on; only the files held out by the hash of their name are used. Each
is degraded once by each of four recipes, seeded by its name, so every run measures the same pictures:

mild       what needs next to nothing
stage3     the specification's stage three, scaled to the network's size
film       worn prints, tape, codecs (vidrestore.training.data.footage_degradation); the target has the
           print's tone
broadcast  the same file's small faces, coded at a starved rate

Prints means over people for the input, for the restored face at several fidelities and, with the stage-one
AUTOENCODER, for its reconstruction of the clean face: the ceiling of what codes can say. Restored faces are
measured as they are laid over a frame: with the input's colour (`compositing.match_colour`). YUNET is the
ONNX file of cv2.FaceDetectorYN, which places the landmarks. NIQE is measured under a model of the clean
faces trained on. MS-SSIM, GMSD and HaarPSI need the extra `eval`.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch

from vidrestore.evaluation.image import edge_energy_ratio, gmsd, haarpsi, ms_ssim, psnr, ssim
from vidrestore.evaluation.niqe import NiqeModel, fit_niqe, niqe
from vidrestore.faces.compositing import match_colour
from vidrestore.restoration import DaefrRestorer, make_restorer
from vidrestore.training.config import DataConfig, Recipe, read_config
from vidrestore.training.data.dataset import crop_face, degrade_by, read_face, split_people, to_tensor
from vidrestore.training.stage_weights import load_vqgan
from vidrestore.types import FloatArray
from vidrestore.weights import embedded_path

CONFIG = Path(__file__).parents[1] / "configs" / "train" / "compact_restoration.yaml"
SETS: dict[str, Recipe] = {
    "mild": "mild",
    "stage3": "specification",
    "film": "film",
    "broadcast": "broadcast",
}
COLUMNS = ("PSNR", "SSIM", "MS-SSIM", "GMSD", "HaarPSI", "NIQE", "edges", "marks %", "found %", "colour")

Pairs = list[tuple[FloatArray, FloatArray]]
"""(target, degraded), (S, S, 3) in 0..1 each."""
Marks = Callable[[FloatArray], FloatArray | None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("faces", type=Path)
    parser.add_argument("--weights", type=Path, help="default: the embedded ones")
    parser.add_argument("--autoencoder", type=Path, help="stage one's weights, for the ceiling")
    parser.add_argument("--teacher", type=Path, help="YuNet's ONNX file, for landmarks")
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument(
        "--fidelity", type=float, nargs="+", help="default: 0, and 0.5 and 1 if the model can"
    )
    parser.add_argument("--sheets", type=Path, help="folder for pictures of input, restored and truth")
    parser.add_argument("--count", type=int, default=10_000, help="people at most")
    parser.add_argument("--columns", type=int, default=8, help="people on a sheet")
    arguments = parser.parse_args()
    data = read_config(CONFIG, [f"data.faces={arguments.faces}"]).data
    weights = arguments.weights or embedded_path("compact.safetensors")
    restorers = make_restorers(weights, arguments.fidelity)
    marks = landmark_finder(arguments.teacher)
    size = next(iter(restorers.values())).size
    natural = fit_niqe(crop_face(read_face(path), size, data, None) for path in split_people(data)[0])
    for name in arguments.sets:
        pairs = validation_pairs(data, SETS[name], size, arguments.count)
        truth = [target for target, _ in pairs]
        rows: dict[str, list[FloatArray]] = {"input": [low for _, low in pairs]}
        for label, restorer in restorers.items():
            rows[label], milliseconds = restore_all(restorer, rows["input"])
        if arguments.autoencoder:
            rows["ceiling"] = reconstruct(arguments.autoencoder, truth)
        print(f"\n{name}: {len(pairs)} people held out, {size} pixels, {milliseconds:.0f} ms a face")
        print(f"{'':14s} " + " ".join(f"{column:>8s}" for column in COLUMNS))
        for label, images in rows.items():
            values = measure(images, truth, marks, natural)
            print(f"{label:14s} " + " ".join(f"{value:8.3f}" for value in values), flush=True)
        if arguments.sheets:
            write_sheet(arguments.sheets / f"{name}.png", [*rows.values(), truth], arguments.columns)


def make_restorers(weights: Path, fidelities: Sequence[float] | None) -> dict[str, DaefrRestorer]:
    """By label, the weights at each of the fidelities, and as the product uses them."""
    if fidelities is None:
        fidelities = (0.0, 0.5, 1.0) if make_restorer(weights).supports_fidelity else (0.0,)
    chosen: list[float | None] = [*fidelities, None]
    return {"default" if w is None else f"fidelity {w:g}": make_restorer(weights, fidelity=w) for w in chosen}


def validation_pairs(data: DataConfig, recipe: Recipe, size: int, count: int) -> Pairs:
    """Targets and degraded faces of the people held out."""
    _, held = split_people(data)
    return [
        degrade_by(recipe, crop_face(read_face(p), size, data, None), data, _generator(f"{p.stem} {recipe}"))
        for p in held[:count]
    ]


def restore_all(restorer: DaefrRestorer, faces: list[FloatArray]) -> tuple[list[FloatArray], float]:
    """Restored faces, one at a time, and the median milliseconds of one."""
    restored, seconds = [], []
    for face in faces:
        began = time.perf_counter()
        (image,) = restorer.decode(restorer.predict(restorer.encode([face])))
        seconds.append(time.perf_counter() - began)
        restored.append(match_colour(image, face))
    return restored, 1000 * float(np.median(seconds))


@torch.inference_mode()
def reconstruct(autoencoder: Path, faces: list[FloatArray]) -> list[FloatArray]:
    """The faces through stage one's encoder, codebook and decoder."""
    network = load_vqgan(autoencoder).eval()
    restored = []
    for face in faces:
        quantised, _, _ = network.codebook(network.encode(to_tensor([face])))
        picture = (network.decode(quantised)[0].permute(1, 2, 0) + 1) / 2
        restored.append(picture.clamp(0, 1).numpy())
    return restored


def measure(
    images: list[FloatArray], truth: list[FloatArray], marks: Marks, natural: NiqeModel
) -> list[float]:
    """The values of `COLUMNS`: means over people; landmarks in % of the distance between the eyes."""
    rows = [
        (
            psnr(x, y),
            ssim(x, y),
            ms_ssim(x, y),
            gmsd(x, y),
            haarpsi(x, y),
            niqe(x, natural),
            edge_energy_ratio(x, y),
        )
        for x, y in zip(images, truth, strict=True)
    ]
    distances = []
    for x, y in zip(images, truth, strict=True):
        found, wanted = marks(x), marks(y)
        if wanted is not None:
            eyes = float(np.hypot(*(wanted[1] - wanted[0])))
            distances.append(np.nan if found is None else np.hypot(*(found - wanted).T).mean() / eyes)
    colour = [float(np.ptp(x, axis=2).mean()) * 255 for x, y in zip(images, truth, strict=True)
              if np.ptp(y, axis=2).max() < 1e-6]  # fmt: skip
    found_share = float(np.isfinite(distances).mean()) if distances else np.nan
    return [
        *(float(v) for v in np.mean(rows, axis=0)),
        100 * float(np.nanmean(distances)) if found_share > 0 else np.nan,
        100 * found_share,
        float(np.mean(colour)) if colour else np.nan,
    ]


def landmark_finder(model: Path | None) -> Marks:
    """(S, S, 3) -> (5, 2) the points of the surest face, or None; always None without a model."""
    if model is None:
        return lambda _: None
    detector = cv2.FaceDetectorYN.create(str(model), "", (640, 640), score_threshold=0.3)

    def find(face: FloatArray) -> FloatArray | None:
        size = face.shape[0]
        canvas = np.full((640, 640, 3), 127, np.uint8)
        canvas[64:576, 64:576] = cv2.resize(
            np.round(face[:, :, ::-1] * 255).astype(np.uint8), (512, 512), interpolation=cv2.INTER_CUBIC
        )
        _, faces = detector.detect(canvas)
        if faces is None:
            return None
        best = faces[int(np.argmax(faces[:, 14]))]
        return ((best[4:14].reshape(5, 2) - 64) * size / 512).astype(np.float32)

    return find


def write_sheet(path: Path, rows: Sequence[list[FloatArray]], columns: int) -> None:
    """People side by side; a row for each list, the truth last."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet = np.concatenate([np.concatenate(row[:columns], axis=1) for row in rows])
    cv2.imwrite(str(path), np.round(sheet[:, :, ::-1] * 255).astype(np.uint8))


def _generator(name: str) -> np.random.Generator:
    return np.random.default_rng(list(hashlib.sha256(name.encode()).digest()[:8]))


if __name__ == "__main__":
    main()
