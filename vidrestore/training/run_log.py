"""The log of a training run: scalars as JSON lines and for TensorBoard, and picture grids."""

from __future__ import annotations

import importlib
import json
import logging
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from torch import Tensor

logger = logging.getLogger(__name__)


class RunLog:
    """Writes log.jsonl, pictures/ and, if TensorBoard is installed, tensorboard/ into the folder of a run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._board: Any = None
        try:
            board = importlib.import_module("torch.utils.tensorboard")
        except ImportError:
            logger.info("tensorboard is not installed: scalars are written to %s only", folder / "log.jsonl")
        else:
            self._board = board.SummaryWriter(str(folder / "tensorboard"))

    def scalars(self, step: int, values: dict[str, float]) -> None:
        """Writes a line of the log."""
        line = {"step": step} | {name: float(f"{value:.5g}") for name, value in values.items()}
        with (self._folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        logger.info("%s", "  ".join(f"{k} {v:g}" for k, v in line.items()))
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(name, value, step)

    def pictures(self, step: int, rows: list[Tensor]) -> None:
        """Writes a grid of faces; each row is (N, 3, S, S) in [-1, 1]."""
        columns = [row.detach().float().cpu().clamp(-1, 1).add(1).div(2).permute(0, 2, 3, 1) for row in rows]
        grid = np.concatenate([np.concatenate(list(row.numpy()), axis=1) for row in columns])
        folder = self._folder / "pictures"
        folder.mkdir(exist_ok=True)
        cv2.imwrite(str(folder / f"{step:08d}.jpg"), np.round(grid[:, :, ::-1] * 255).astype(np.uint8))
        if self._board is not None:
            self._board.add_image("faces", grid, step, dataformats="HWC")

    def close(self) -> None:
        """Closes the files for TensorBoard."""
        if self._board is not None:
            self._board.close()
