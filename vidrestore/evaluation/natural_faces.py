"""The embedded model of natural faces for NIQE.

    python -m vidrestore.evaluation.natural_faces FOLDER natural_faces.safetensors

makes it from the clean aligned faces in a folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from vidrestore.errors import WeightsError
from vidrestore.evaluation.niqe import NiqeModel, fit_niqe
from vidrestore.weights import embedded_path


def load_natural_faces(path: Path | None = None) -> NiqeModel:
    """The model in `path`; None: the one inside the package, of clean aligned faces of 256 pixels.

    Raises:
        WeightsError: There is no such file, or it has no such model.
    """
    path = path or embedded_path("natural_faces.safetensors")
    try:
        stored = load_file(path)
        mean, covariance = stored["mean"].astype(np.float64), stored["covariance"].astype(np.float64)
    except (OSError, SafetensorError, KeyError) as error:
        raise WeightsError(f"{path} has no model of natural pictures: {error}") from error
    if mean.shape != (36,) or covariance.shape != (36, 36):
        raise WeightsError(f"{path} has no model of natural pictures: its shapes differ")
    return NiqeModel(mean=mean, covariance=covariance)


def make_natural_faces(folder: Path, path: Path) -> None:
    """Fits the model to clean aligned faces and writes it in 32 bits.

    Args:
        folder: The folder of the faces, PNG files of 256 pixels.
        path: The model's file.
    """
    pictures = (cv2.imread(str(file), cv2.IMREAD_COLOR_RGB) for file in sorted(folder.rglob("*.png")))
    model = fit_niqe(
        picture.astype(np.float32) / np.float32(255) for picture in pictures if picture is not None
    )
    save_file(
        {"mean": model.mean.astype(np.float32), "covariance": model.covariance.astype(np.float32)}, path
    )


if __name__ == "__main__":
    make_natural_faces(Path(sys.argv[1]), Path(sys.argv[2]))
