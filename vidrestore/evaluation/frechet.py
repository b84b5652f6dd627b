"""The Fréchet distance between two sets of features, each taken as a Gaussian (Heusel et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidrestore.errors import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaussian:
    """Mean and covariance of a set of features."""

    mean: Array
    """(D,)"""
    covariance: Array
    """(D, D)"""
    count: int | None = None
    """Number of pictures; None: not known."""


class FeatureStatistics:
    """Mean and covariance of features, which are added row by row; memory does not grow."""

    def __init__(self) -> None:
        self.count = 0
        self._sum: Array = np.zeros(0)
        self._products: Array = np.zeros((0, 0))

    def add(self, features: Array) -> None:
        """Adds features (N, D)."""
        if not self.count:
            self._sum = np.zeros(features.shape[1])
            self._products = np.zeros((features.shape[1],) * 2)
        self.count += len(features)
        self._sum += features.sum(axis=0)
        self._products += features.T @ features

    def gaussian(self) -> Gaussian:
        """The mean and covariance. Raises ValueError if there are fewer than two rows."""
        if self.count < 2:
            raise ValueError(f"a covariance needs at least two pictures, got {self.count}")
        mean = self._sum / self.count
        covariance = (self._products - self.count * np.outer(mean, mean)) / (self.count - 1)
        return Gaussian(mean=mean, covariance=covariance, count=self.count)


def frechet_distance(a: Gaussian, b: Gaussian) -> float:
    """Squared distance of the means plus tr(A + B - 2 (A B)^(1/2)); 0 for equal sets."""
    # (A B)^(1/2) has the trace of (A^(1/2) B A^(1/2))^(1/2), which is symmetric.
    values, vectors = np.linalg.eigh(a.covariance)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    inner = root @ b.covariance @ root
    shared = np.sqrt(np.linalg.eigvalsh((inner + inner.T) / 2).clip(0)).sum()
    away = a.mean - b.mean
    distance = away @ away + np.trace(a.covariance) + np.trace(b.covariance) - 2 * shared
    return float(max(distance, 0.0))


def read_gaussian(path: Path) -> Gaussian:
    """The statistics in an .npz file with `mu` and `sigma`, as pytorch-fid writes them.

    Raises:
        InputError: It holds something else.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            mean, covariance = (np.asarray(stored[name], np.float64) for name in ("mu", "sigma"))
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path} has no statistics mu and sigma of pytorch-fid: {error}") from error
    if mean.ndim != 1 or covariance.shape != (len(mean), len(mean)):
        raise InputError(f"{path} has no statistics: mu is {mean.shape}, sigma is {covariance.shape}")
    return Gaussian(mean=mean, covariance=covariance)
