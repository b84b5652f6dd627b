"""Measures of a picture against its truth. Higher is better, except for `gmsd`.

Pictures are (H, W, 3) float32 RGB in 0..1. `psnr` and `ssim` come from scikit-image, `ms_ssim`, `gmsd` and
`haarpsi` from piq: the extra `eval`.
"""

from __future__ import annotations

import importlib
import math
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.colour.matrices import BT601_LUMA
from vidrestore.errors import UsageError
from vidrestore.types import FloatArray

Channels = Literal["luma", "rgb"]

_LUMA_WEIGHTS = np.array(BT601_LUMA)
_SSIM_RADIUS = 5
_SSIM_SIGMA = 1.5


def luma(picture: FloatArray) -> NDArray[np.float64]:
    """(H, W) BT.601 luma of an (H, W, 3) picture, as in Wang et al. and MATLAB's rgb2gray."""
    return np.asarray(picture.astype(np.float64) @ _LUMA_WEIGHTS)


def psnr(picture: FloatArray, truth: FloatArray) -> float:
    """Peak signal to noise ratio over all channels in dB, by scikit-image; infinite for equal pictures."""
    _same_shape(picture, truth)
    with np.errstate(divide="ignore"):
        return float(_skimage("psnr").peak_signal_noise_ratio(truth, picture, data_range=1.0))


def ssim(picture: FloatArray, truth: FloatArray, channels: Channels = "luma") -> float:
    """Structural similarity in -1..1 by scikit-image, after Wang et al. 2004, "Image quality assessment".

    Gaussian window of 11 x 11 with sigma 1.5, averaged where the window fits into the picture. It equals
    basicsr's `calculate_ssim` with `crop_border=0`.

    Args:
        picture: (H, W, 3) RGB in 0..1.
        truth: The clean picture, of the same shape.
        channels: "luma", or "rgb" for the mean over the three channels.

    Raises:
        ValueError: The picture is smaller than 11 x 11 pixels, or the shapes differ.
    """
    _same_shape(picture, truth)
    if min(picture.shape[:2]) < 2 * _SSIM_RADIUS + 1:
        raise ValueError(f"ssim needs at least 11 x 11 pixels, got {picture.shape[:2]}")
    by_channel = channels == "rgb"
    pair = (picture, truth) if by_channel else (luma(picture), luma(truth))
    return float(
        _skimage("ssim").structural_similarity(
            *pair,
            gaussian_weights=True,
            sigma=_SSIM_SIGMA,
            use_sample_covariance=False,
            data_range=1.0,
            channel_axis=2 if by_channel else None,
        )
    )


def edge_energy_ratio(picture: FloatArray, truth: FloatArray) -> float:
    """Edge energy relative to the truth: 1 is equal, below 1 is blurred, above 1 is oversharpened or noisy.

    It is the sum of squared Sobel gradients of the luma, divided by the truth's. Grain counts as edges, so
    compare it with `psnr`. It is infinite if only the truth is flat, and 1 if both are flat.
    """
    _same_shape(picture, truth)
    energy, true_energy = _edge_energy(luma(picture)), _edge_energy(luma(truth))
    if true_energy == 0:
        return 1.0 if energy == 0 else math.inf
    return energy / true_energy


def ms_ssim(picture: FloatArray, truth: FloatArray) -> float:
    """Multi-scale SSIM in 0..1 (Wang et al. 2003); needs sides of at least 161 pixels.

    Raises UsageError if the extra `eval` is not installed, as `gmsd` and `haarpsi` do.
    """
    return _by_piq("multi_scale_ssim", picture, truth)


def gmsd(picture: FloatArray, truth: FloatArray) -> float:
    """Gradient magnitude similarity deviation (Xue et al. 2014): 0 for equal pictures, lower is better."""
    return _by_piq("gmsd", picture, truth)


def haarpsi(picture: FloatArray, truth: FloatArray) -> float:
    """Haar wavelet perceptual similarity in 0..1 (Reisenhofer et al. 2018)."""
    return _by_piq("haarpsi", picture, truth)


def _same_shape(picture: FloatArray, truth: FloatArray) -> None:
    if picture.shape != truth.shape or picture.ndim != 3 or picture.shape[2] != 3:
        raise ValueError(f"both pictures must be (H, W, 3) alike, got {picture.shape} and {truth.shape}")


def _edge_energy(plane: NDArray[np.float64]) -> float:
    across = np.asarray(cv2.Sobel(plane, cv2.CV_64F, 1, 0, ksize=3))
    down = np.asarray(cv2.Sobel(plane, cv2.CV_64F, 0, 1, ksize=3))
    return float(np.sum(across**2 + down**2))


def _by_piq(name: str, picture: FloatArray, truth: FloatArray) -> float:
    _same_shape(picture, truth)
    piq = _load("piq", "piq", name)
    import torch

    def as_tensor(array: FloatArray) -> Any:
        return torch.from_numpy(np.ascontiguousarray(array.clip(0, 1).transpose(2, 0, 1)))[None]

    return float(getattr(piq, name)(as_tensor(picture), as_tensor(truth), data_range=1.0))


def _skimage(wanted_by: str) -> Any:
    return _load("skimage.metrics", "scikit-image", wanted_by)


def _load(module: str, package: str, wanted_by: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UsageError(
            f"{wanted_by} needs {package}, which is not installed; install it with: "
            "pip install 'vidrestore[eval]'"
        ) from error
