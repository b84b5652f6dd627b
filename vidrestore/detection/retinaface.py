"""RetinaFace by facexlib: an optional, slower detector, which runs on a GPU with several frames at a time."""

from __future__ import annotations

import hashlib
import logging
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidrestore.colour.yuv_rgb import downscaled_rgb
from vidrestore.detection.detector import Search
from vidrestore.detection.overlap import suppress_duplicates
from vidrestore.faces.boxes import overlap
from vidrestore.runtime.device import half_precision
from vidrestore.runtime.device_memory import release_unused_memory
from vidrestore.runtime.launching_thread import launch
from vidrestore.runtime.skip_initialisation import SkipInitialisation
from vidrestore.runtime.system_errors import is_out_of_memory
from vidrestore.runtime.tensor_files import check_shapes, finite, read_checkpoint, shapes_of
from vidrestore.runtime.worker_threads import set_torch_threads
from vidrestore.types import Detection, Frame
from vidrestore.weights import weights_path

Network = Literal["retinaface_resnet50", "retinaface_mobile0.25"]
FRAMES_TOGETHER = 8
"""Frames of a batch on a GPU."""
_FACEXLIB_NAMES = {"retinaface_resnet50": "resnet50", "retinaface_mobile0.25": "mobile0.25"}
# A checkpoint states neither its anchors nor its activations. These weights (mobile0.25 of
# github.com/biubug6/Face-Detector-1MB-with-landmark) load into facexlib's class without an error, but were
# trained with smaller anchors (otherwise boxes are too large by two) and plain ReLUs (otherwise points are
# wrong by a third of a face).
_TRAINED_OTHERWISE = {"ed6fa7d45a5179f03cb5ce82c73b0c6711372968e53782e88395acee88d319e1"}
_THEIR_ANCHORS = [[10, 20], [32, 64], [128, 256]]
_MEAN_BGR = (104.0, 117.0, 123.0)
_MOST_CANDIDATES = 4096
"""Limit of the boxes of a frame that are copied from the device, the best first; a face has several."""
_BLOCKS = 3
"""Blocks of prepared frames that are kept."""

logger = logging.getLogger(__name__)

Found = dict[int, tuple[Frame, "Future[list[tuple[Detection, ...]]]", int]]
"""Prepared frames by their identity, with the result of their batch and their number in it."""


class RetinaFaceDetector:
    """facexlib's RetinaFace on copies of the frames of at most `max_side` pixels. A `PreparingDetector`.

    On CUDA it computes in half precision and on a stream of its own, so that it does not wait for batches of
    the restoration.
    """

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
        self._device = torch.device(device)
        self._precision = half_precision(self._device)
        self._model = load_retinaface(network, weights or weights_path(network), device).to(self._precision)
        self.frames_ahead = 0 if self._device.type == "cpu" else FRAMES_TOGETHER
        self._pool = ThreadPoolExecutor(1, "retinaface", initializer=set_torch_threads, initargs=(1,))
        self._blocks: deque[Found] = deque(maxlen=_BLOCKS)
        self._stream: Any = None

    def prepare(self, frames: Sequence[tuple[Frame, Search | None]]) -> None:
        """Starts the detection in all frames, in one batch. All kinds of search are the same."""
        whole = [frame for frame, _ in frames]
        batch = self._pool.submit(self._find_in, whole)
        self._blocks.append({id(frame): (frame, batch, at) for at, frame in enumerate(whole)})

    def detect(
        self, frame: Frame, *, search: Search = "thorough", existing: Sequence[Detection] = ()
    ) -> tuple[Detection, ...]:
        """All faces of the frame that are nearly upright, best first. All kinds of search are the same."""
        for block in tuple(self._blocks):  # another thread may prepare frames
            if id(frame) in block:
                _, batch, at = block[id(frame)]
                return batch.result()[at]
        return self._find_in([frame])[0]

    def follow(self, frame: Frame, previous: Sequence[Detection]) -> tuple[Detection, ...]:
        """The faces of the frame that overlap a previous one."""
        detections = self.detect(frame)
        return tuple(d for d in detections if any(overlap(d.box, p.box) > 0.2 for p in previous))

    def find(self, rgb: NDArray[np.uint8], scale: float = 1.0) -> tuple[Detection, ...]:
        """Faces of a picture (h, w, 3); coordinates are divided by `scale`."""
        return self.find_all([rgb], scale)[0]

    def find_all(
        self, pictures: Sequence[NDArray[np.uint8]], scale: float = 1.0
    ) -> list[tuple[Detection, ...]]:
        """Faces of each of several pictures (h, w, 3) of the same size, in one batch.

        Args:
            pictures: RGB.
            scale: Coordinates are divided by it.
        """
        # Copies wait, and so they are not in the thread that launches.
        with self._own_stream():
            there = torch.from_numpy(np.stack(pictures)).to(self._device)
        rows = launch(self._device, lambda: self._launch_rows(there))
        with self._own_stream():
            found = rows.cpu().numpy()
        return [self._detections(each, scale) for each in found]

    def _launch_rows(self, pictures: Tensor) -> Tensor:
        with self._own_stream():
            return self._rows(pictures)

    def _find_in(self, frames: Sequence[Frame]) -> list[tuple[Detection, ...]]:
        small = [downscaled_rgb(frame, self._max_side) for frame in frames]
        if len({(rgb.shape, scale) for rgb, scale in small}) == 1:
            found = self._find_together([rgb for rgb, _ in small], small[0][1])
            if found is not None:
                return found
        return [self.find(rgb, scale) for rgb, scale in small]

    def _find_together(
        self, pictures: Sequence[NDArray[np.uint8]], scale: float
    ) -> list[tuple[Detection, ...]] | None:
        """`find_all`; None: the device's memory does not suffice for several pictures."""
        try:
            return self.find_all(pictures, scale)
        except RuntimeError as error:
            if len(pictures) == 1 or not is_out_of_memory(error):
                raise
            logger.info("faces are searched in one frame at a time: %s", error)
        release_unused_memory()
        return None

    def _own_stream(self) -> AbstractContextManager[Any]:
        if self._device.type != "cuda":
            return nullcontext()
        if self._stream is None:
            self._stream = torch.cuda.Stream(self._device)
            # The weights were copied on the stream of the thread that loaded them.
            torch.cuda.synchronize(self._device)
        return torch.cuda.stream(self._stream)

    def _rows(self, pictures: Tensor) -> Tensor:
        """(N, K, 15) boxes, scores and points of the best candidates in RGB pictures (N, h, w, 3) uint8."""
        height, width = pictures.shape[1:3]
        mean = torch.tensor(_MEAN_BGR, device=pictures.device)
        x = (pictures.flip(3).float() - mean).permute(0, 3, 1, 2)
        boxes, scores, points = (part.float() for part in self._model(x.to(self._precision)))
        scores, best = scores[..., 1].topk(min(scores.shape[1], _MOST_CANDIDATES), 1)  # (N, K)
        priors = _priors(tuple(map(tuple, self._model.cfg["min_sizes"])), height, width, pictures.device)[
            best
        ]
        boxes = boxes.gather(1, best[..., None].expand(-1, -1, 4))
        points = points.gather(1, best[..., None].expand(-1, -1, 10)).unflatten(2, (5, 2))
        size = torch.tensor((width, height), device=pictures.device)
        centres, sides = priors[..., :2], priors[..., 2:]
        first, second = self._model.cfg["variance"]
        half = sides * torch.exp(boxes[..., 2:] * second) / 2
        middle = centres + boxes[..., :2] * first * sides
        places = centres[:, :, None] + points * first * sides[:, :, None]  # (N, K, 5, 2)
        corners = torch.cat([(middle - half) * size, (middle + half) * size], 2)
        return torch.cat([corners, scores[..., None], (places * size).flatten(2)], 2)

    def _detections(self, rows: NDArray[np.float32], scale: float) -> tuple[Detection, ...]:
        """The detections of one picture from rows (K, 15), best first, without several of one face."""
        from facexlib.detection.retinaface_utils import py_cpu_nms

        rows = rows[rows[:, 4] > self._threshold]
        detections = [
            Detection(
                box=(row[:4] / scale).astype(np.float32),
                landmarks=(row[5:15].reshape(5, 2) / scale).astype(np.float32),
                score=float(row[4]),
            )
            for row in rows[py_cpu_nms(np.ascontiguousarray(rows[:, :5]), 0.4)]
        ]
        return suppress_duplicates(detections, 0.4)


@lru_cache(maxsize=4)
def _priors(min_sizes: tuple[tuple[int, ...], ...], height: int, width: int, device: torch.device) -> Tensor:
    """(P, 4) centres and sizes of the network's anchors, as fractions of the picture."""
    from facexlib.detection.retinaface_utils import PriorBox

    config = {"min_sizes": [list(sizes) for sizes in min_sizes], "steps": [8, 16, 32], "clip": False}
    priors: Tensor = PriorBox(config, image_size=(height, width)).forward()
    return priors.to(device)


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
