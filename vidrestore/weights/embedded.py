"""Weights that come with the package: no network, no account."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from vidrestore.errors import WeightsError


def embedded_path(name: str) -> Path:
    """Where the file `name`, such as compact.safetensors, lies inside the installed package.

    Raises WeightsError where the installation lacks it.
    """
    path = Path(str(files("vidrestore.weights").joinpath(name)))
    if not path.is_file():
        raise WeightsError(f"this installation lacks its embedded weights {name}; install vidrestore again")
    return path
