"""Weights in the package."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from vidrestore.errors import WeightsError


def embedded_path(name: str) -> Path:
    """The path of an embedded file of weights.

    Args:
        name: The file name, such as compact.safetensors.

    Raises:
        WeightsError: It is missing in this installation.
    """
    path = Path(str(files("vidrestore.weights").joinpath(name)))
    if not path.is_file():
        raise WeightsError(f"this installation lacks its embedded weights {name}; install vidrestore again")
    return path
