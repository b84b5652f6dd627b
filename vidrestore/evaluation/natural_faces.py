"""The embedded model of natural faces for NIQE."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from vidrestore.errors import WeightsError
from vidrestore.evaluation.niqe import NiqeModel
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


def save_natural_faces(model: NiqeModel, path: Path) -> None:
    """Write the model in 32 bits."""
    save_file(
        {"mean": model.mean.astype(np.float32), "covariance": model.covariance.astype(np.float32)}, path
    )
