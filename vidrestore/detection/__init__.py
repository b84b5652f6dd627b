"""Finds faces in frames. Importing this package imports no torch; `make_detector` does."""

from __future__ import annotations

import os
from functools import partial

from vidrestore.detection.detector import FaceDetector
from vidrestore.detection.frame_detection import DetectorState, detect
from vidrestore.errors import UsageError
from vidrestore.runtime.file_kinds import expand_home
from vidrestore.runtime.openmp import import_torch
from vidrestore.settings import DEFAULT_MIN_FACE

__all__ = ["DETECTORS", "DetectorState", "FaceDetector", "detect", "make_detector"]

MAX_THREADS = 4
"""Threads that search for faces ahead, beside a GPU."""
DETECTORS = ("embedded", "retinaface_mobile0.25", "retinaface_resnet50")


def make_detector(name: str, device: str = "auto", *, min_face: int = DEFAULT_MIN_FACE) -> FaceDetector:
    """The detector called `name`; RetinaFace may be given its weights: retinaface_mobile0.25=PATH.

    Args:
        name: One of `DETECTORS`.
        device: The device of the networks. RetinaFace runs on it; the embedded detector runs on the CPU, with
            more threads beside a GPU.
        min_face: Side [frame px] of the smallest face that the embedded detector searches for.

    Returns:
        The detector, with its weights loaded.

    Raises:
        UsageError: The name is not known.
        WeightsError: The weights are missing or do not fit.
        DeviceError: There is no such device.
        ProcessingError: The memory of the chosen device does not suffice for RetinaFace.
    """
    kind, separator, path = name.partition("=")
    if kind not in DETECTORS or (separator and kind == "embedded"):
        raise UsageError(f"there is no detector '{name}'; there are: {', '.join(DETECTORS)}")
    import_torch()
    from vidrestore.runtime.device import resolve_device

    if kind == "embedded":
        from vidrestore.detection.embedded import EmbeddedDetector
        from vidrestore.detection.proposals_ahead import ProposalsAhead
        from vidrestore.detection.yunet import YuNet

        make_yunet = partial(YuNet, min_face=min_face)
        # On a CPU, the networks of the restoration use all cores.
        threads = 0 if resolve_device(device).type == "cpu" else min((os.cpu_count() or 1) // 2, MAX_THREADS)
        ahead = ProposalsAhead(make_yunet, threads) if threads else None
        return EmbeddedDetector(make_yunet(), ahead=ahead)
    from vidrestore.detection.retinaface import RetinaFaceDetector
    from vidrestore.runtime.device_memory import place_networks

    weights = expand_home(path) if separator else None
    return place_networks(
        device,
        lambda where: RetinaFaceDetector(kind, weights, str(where)),  # type: ignore[arg-type]
        what="the network that finds faces",
    )
