"""Restored faces as PNG files, by the names of their inputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from vidrestore.errors import OutputError
from vidrestore.types import FloatArray


def save_faces(folder: Path) -> Callable[[str, FloatArray], None]:
    """A function that writes a face, (S, S, 3) RGB in 0..1, into `folder` as NAME.png.

    Raises:
        OutputError: The folder exists and is not empty. The function raises it where a file cannot be
            written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError(f"{folder} is there already and not an empty folder; choose another for --save")

    def write(name: str, face: FloatArray) -> None:
        path = (folder / name).with_suffix(".png")
        _, data = cv2.imencode(".png", np.rint(face[..., ::-1] * 255).astype(np.uint8))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data.tobytes())
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror or error}") from error

    return write
