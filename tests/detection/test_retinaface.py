"""RetinaFace's model keeps what it works on in attributes, so one picture is searched at a time."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from vidrestore.detection.retinaface import RetinaFaceDetector


class _Model:
    def __init__(self) -> None:
        self.inside = self.most = 0
        self._lock = threading.Lock()

    def detect_faces(self, bgr: NDArray[np.uint8], conf_threshold: float) -> list[NDArray[np.float32]]:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        time.sleep(0.02)
        with self._lock:
            self.inside -= 1
        return []


def test_threads_that_share_a_detector_search_one_picture_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from facexlib.detection.retinaface import RetinaFace

    torch.save(RetinaFace(network_name="mobile0.25").state_dict(), tmp_path / "w.pth")
    detector = RetinaFaceDetector("retinaface_mobile0.25", tmp_path / "w.pth")
    model = _Model()
    monkeypatch.setattr(detector, "_model", model)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: detector.find(np.zeros((8, 8, 3), np.uint8)), range(8)))
    assert model.most == 1
