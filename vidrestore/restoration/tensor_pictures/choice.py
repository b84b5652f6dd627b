"""Decides whether the pictures of a run stay on its device, and whether they begin there."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from vidrestore.faces.alignment import align
from vidrestore.restoration.restorer import FaceRestorer, NetworkRestorer
from vidrestore.restoration.tensor_pictures.alignment import align_on_device
from vidrestore.restoration.tensor_pictures.restorer import TensorRestorer
from vidrestore.types import AlignedFace, FrameFaces

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


def align_for(
    restorer: FaceRestorer[Any, Any, Any, Any], *, needs_arrays: bool
) -> Callable[..., FrameFaces[AlignedFace]]:
    """`align` or `align_on_device`: the crops are where the restorer needs them.

    Args:
        restorer: From `restorer_for_device`.
        needs_arrays: Whether something else than the restorer reads the crops, on the CPU.
    """
    if needs_arrays or not isinstance(restorer, TensorRestorer) or not restorer.estimates:
        return align
    return partial(align_on_device, device=restorer.device)
