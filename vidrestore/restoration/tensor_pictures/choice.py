"""Decides whether the pictures of a run stay on its device."""

from __future__ import annotations

from typing import Any

from vidrestore.restoration.restorer import FaceRestorer, NetworkRestorer
from vidrestore.restoration.tensor_pictures.restorer import TensorRestorer

LEAST_FREE_BYTES = 12 * 2**30
"""Free memory of a GPU from which pictures stay there. A crop of 512 pixels with its estimate and its drawn
face needs 12 MB, and some two hundred frames wait between the steps."""


def restorer_for_device(
    restorer: FaceRestorer[Any, Any, Any, Any], free_bytes: int | None
) -> FaceRestorer[Any, Any, Any, Any]:
    """The restorer, with pictures as tensors on a CUDA GPU with enough memory; otherwise unchanged.

    Args:
        restorer: The networks.
        free_bytes: The GPU's free memory; None: it is no CUDA GPU.
    """
    if not isinstance(restorer, NetworkRestorer) or restorer.device.type != "cuda":
        return restorer
    return TensorRestorer(restorer) if (free_bytes or 0) >= LEAST_FREE_BYTES else restorer
