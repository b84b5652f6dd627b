"""What is measured of a restored face against its truth, with networks from a folder given by the user.

The folder holds `recognition/` (dlib's ResNet) and `vgg16/` (VGG16's convolutions), each with a `convert.py`
that defines the network.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidrestore.evaluation.image import edge_energy_ratio, psnr, ssim
from vidrestore.types import FloatArray

Landmarks = Callable[[FloatArray], FloatArray | None]
COLUMNS = ("PSNR", "SSIM", "VGG", "identity", "marks %", "edges", "eye PSNR", "mouth PSNR", "chroma", "max")
EYES, MOUTH = (0.27, 0.38, 0.73, 0.55), (0.33, 0.63, 0.67, 0.85)
MIDDLE = (0.25, 0.36, 0.75, 0.86)
"""x0 y0 x1 y1 in an aligned face, in shares of its side."""


class FaceMetrics:
    """The values of `COLUMNS` of a face, NaN where there is no network for it."""

    def __init__(self, networks: Path | None, landmarks: Landmarks) -> None:
        self._landmarks = landmarks
        self._recogniser: Any = None
        self._vgg: Any = None
        if networks is not None:
            recognition = _load_script(networks / "recognition" / "convert.py")
            weights = torch.load(networks / "recognition" / "dlib_resnet.pt", weights_only=True)
            self._recogniser, self._chip = recognition.DlibResNet(weights).eval(), recognition.chip_from_ffhq
            vgg = _load_script(networks / "vgg16" / "convert.py")
            state = torch.load(networks / "vgg16" / "vgg16_hed.pt", weights_only=True)
            self._vgg = vgg.VGG({k: v.float() for k, v in state.items()}, taps=(1, 3, 6)).eval()
        self._truths: dict[int, dict[str, Any]] = {}

    def measure(self, face: FloatArray, truth: FloatArray, *, perceptual: bool) -> list[float]:
        """Of a face and its truth, (S, S, 3) in 0..1 each; the perceptual distance only where asked."""
        known = self._truths.setdefault(id(truth), {"truth": truth})
        if "identity" not in known:
            known["identity"], known["marks"] = self.identity(truth), self._landmarks(truth)
        eyes, mouth = (psnr(part_of(face, box), part_of(truth, box)) for box in (EYES, MOUTH))
        return [
            min(psnr(face, truth), 80.0),
            ssim(face, truth),
            self.perceptual(*(part_of(x, MIDDLE) for x in (face, truth))) if perceptual else np.nan,
            float(np.linalg.norm(self.identity(face) - known["identity"])),
            _landmark_error(self._landmarks(face), known["marks"]),
            edge_energy_ratio(face, truth),
            min(eyes, 80.0),
            min(mouth, 80.0),
            max(_chroma_shift(part_of(face, box), part_of(truth, box)) for box in (EYES, MOUTH)),
            float(np.abs(face - truth).max()) * 255,
        ]

    @torch.inference_mode()
    def identity(self, face: FloatArray) -> NDArray[np.float32]:
        """(128,) the recogniser's numbers; NaN without one."""
        if self._recogniser is None:
            return np.full(128, np.nan, np.float32)
        chip = self._chip(_tensor(face) * 255, fit=(0.5, 0.564, 0.85))
        return np.asarray(self._recogniser(chip)[0].numpy())

    @torch.inference_mode()
    def perceptual(self, picture: FloatArray, truth: FloatArray) -> float:
        """The distance of two pictures (H, W, 3) by VGG16's features; NaN without that network."""
        if self._vgg is None:
            return float("nan")
        a, b = (_tensor(x) * 2 - 1 for x in (picture, truth))
        return float(self._vgg(a, b)[0])


def landmark_finder(model: Path | None) -> Landmarks:
    """(S, S, 3) -> (5, 2) the five points of the surest face, or None; always None without a model."""
    if model is None:
        return lambda _: None
    detector = cv2.FaceDetectorYN.create(str(model), "", (640, 640), score_threshold=0.3)

    def find(face: FloatArray) -> FloatArray | None:
        size = face.shape[0]
        canvas = np.full((640, 640, 3), 127, np.uint8)
        canvas[64:576, 64:576] = cv2.resize(
            np.round(face[:, :, ::-1] * 255).astype(np.uint8), (512, 512), interpolation=cv2.INTER_CUBIC
        )
        _, faces = detector.detect(canvas)
        if faces is None:
            return None
        best = faces[int(np.argmax(faces[:, 14]))]
        return ((best[4:14].reshape(5, 2) - 64) * size / 512).astype(np.float32)

    return find


def _landmark_error(found: FloatArray | None, wanted: FloatArray | None) -> float:
    """In % of the distance between the eyes."""
    if found is None or wanted is None:
        return float("nan")
    return 100 * float(np.hypot(*(found - wanted).T).mean() / np.hypot(*(wanted[1] - wanted[0])))


def _chroma_shift(face: FloatArray, truth: FloatArray) -> float:
    """Mean distance of the mean chroma, in codes."""
    a, b = (np.asarray(cv2.cvtColor(x, cv2.COLOR_RGB2YCrCb))[..., 1:] for x in (face, truth))
    return 255 * float(np.abs(a - b).mean())


def part_of(face: FloatArray, box: tuple[float, float, float, float]) -> FloatArray:
    """A box of a face (S, S, 3): x0 y0 x1 y1 in shares of its side."""
    x0, y0, x1, y1 = (round(v * face.shape[0]) for v in box)
    return np.ascontiguousarray(face[y0:y1, x0:x1])


def _tensor(face: FloatArray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(face.transpose(2, 0, 1)))[None]


def _load_script(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"network_{path.parent.name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
