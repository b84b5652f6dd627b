"""Writes aligned faces as files, for other programs that measure folders of faces."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from vidrestore.errors import OutputError
from vidrestore.evaluation.meter import OnFace, Views
from vidrestore.evaluation.moments import Moment


def write_crops(folder: Path) -> OnFace:
    """A function that writes each face to `folder`/result, `folder`/truth and `folder`/input as PNG.

    Raises:
        OutputError: The folder exists and is not empty. The function raises it if a file cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError(f"{folder} is there already and not an empty folder; choose another for --crops")

    def write(moment: Moment, track: int, views: Views) -> None:
        for subject, view in views.items():
            stem = Path(moment.name).with_suffix("").name if moment.name else f"{moment.index:06d}"
            path = folder / subject / f"{stem}_{track:03d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            codes = np.rint(view.crop[..., ::-1] * 255).astype(np.uint8)
            if not cv2.imwrite(str(path), codes):
                raise OutputError(f"cannot write {path}; check the disk and its permissions")

    return write
