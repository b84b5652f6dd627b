"""RetinaFace by facexlib: an optional, slower detector."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from vidrestore.colour.yuv_rgb import downscaled_rgb
from vidrestore.detection.detector import Search
from vidrestore.detection.overlap import suppress_duplicates
from vidrestore.faces.boxes import overlap
from vidrestore.runtime.skip_initialisation import SkipInitialisation
from vidrestore.runtime.tensor_files import check_shapes, finite, read_checkpoint, shapes_of
from vidrestore.types import Detection, Frame
from vidrestore.weights import weights_path

Network = Literal["retinaface_resnet50", "retinaface_mobile0.25"]
_FACEXLIB_NAMES = {"retinaface_resnet50": "resnet50", "retinaface_mobile0.25": "mobile0.25"}
# A checkpoint states neither its anchors nor its activations. These weights (mobile0.25 of
# github.com/biubug6/Face-Detector-1MB-with-landmark) load into facexlib's class without an error, but were
# trained with smaller anchors (otherwise boxes are too large by two) and plain ReLUs (otherwise points are
# wrong by a third of a face).
_TRAINED_OTHERWISE = {"ed6fa7d45a5179f03cb5ce82c73b0c6711372968e53782e88395acee88d319e1"}
_THEIR_ANCHORS = [[10, 20], [32, 64], [128, 256]]


class RetinaFaceDetector:
    """facexlib's RetinaFace on copies of the frames of at most `max_side` pixels."""

    def __init__(
        self,
        network: Network,
        weights: Path | None,
        device: str = "cpu",
        *,
        max_side: int = 960,
        threshold: float = 0.6,
    ) -> None:
        """Loads the network.

        Args:
            network: Name of the network.
            weights: A checkpoint; None: the catalogue's, which must be in the cache.
            device: The device.
            max_side: Largest side of the copies [px].
            threshold: Smallest score of a face, 0..1.

        Raises:
            WeightsError: The weights are missing, or of another network.
        """
        self._max_side, self._threshold = max_side, threshold
        self._model = load_retinaface(network, weights or weights_path(network), device)
        self._lock = threading.Lock()  # the model keeps the size of its picture in attributes

    def detect(
        self, frame: Frame, *, search: Search = "thorough", existing: Sequence[Detection] = ()
    ) -> tuple[Detection, ...]:
        """All faces of the frame that are nearly upright, best first. All kinds of search are the same."""
        rgb, scale = downscaled_rgb(frame, self._max_side)
        return self.find(rgb, scale)

    def follow(self, frame: Frame, previous: Sequence[Detection]) -> tuple[Detection, ...]:
        """The faces of the frame that overlap a previous one."""
        detections = self.detect(frame)
        return tuple(d for d in detections if any(overlap(d.box, p.box) > 0.2 for p in previous))

    @torch.no_grad()
    def find(self, rgb: NDArray[np.uint8], scale: float = 1.0) -> tuple[Detection, ...]:
        """Faces of a picture (h, w, 3); coordinates are divided by `scale`."""
        bgr = np.ascontiguousarray(rgb[:, :, ::-1])
        with self._lock:
            rows = self._model.detect_faces(bgr, conf_threshold=self._threshold)
        detections = [
            Detection(
                box=(row[:4] / scale).astype(np.float32),
                landmarks=(row[5:15].reshape(5, 2) / scale).astype(np.float32),
                score=float(row[4]),
            )
            for row in np.asarray(rows).reshape(-1, 15)
        ]
        return suppress_duplicates(detections, 0.4)


def load_retinaface(network: Network, weights: Path, device: str = "cpu") -> Any:
    """facexlib's network with these weights, in eval mode.

    Args:
        network: Name of the network.
        weights: The file of weights.
        device: The device.

    Raises:
        WeightsError: The weights do not fit.
    """
    # Imported here, because torchvision and numba take seconds.
    from facexlib.detection.retinaface import RetinaFace

    with SkipInitialisation():
        model = RetinaFace(network_name=_FACEXLIB_NAMES[network], device=torch.device(device))
    state = {name.removeprefix("module."): tensor for name, tensor in read_checkpoint(weights).items()}
    wanted = shapes_of(model.state_dict())
    state = {name: tensor for name, tensor in state.items() if name in wanted}
    check_shapes(shapes_of(state), wanted, weights)
    model.load_state_dict(finite(state, weights))
    if hashlib.sha256(weights.read_bytes()).hexdigest() in _TRAINED_OTHERWISE:
        model.cfg = model.cfg | {"min_sizes": _THEIR_ANCHORS}
        for module in model.modules():
            if isinstance(module, torch.nn.LeakyReLU):
                module.negative_slope = 0.0
    return model.eval().to(device)
