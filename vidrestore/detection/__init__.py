"""Frame -> Detection. Importing this package imports no torch; making a detector does."""

from __future__ import annotations

from vidrestore.detection.detector import FaceDetector
from vidrestore.detection.frame_detection import DetectorState, detect
from vidrestore.errors import UsageError
from vidrestore.runtime.file_kinds import expand_home

__all__ = ["DETECTORS", "DetectorState", "FaceDetector", "detect", "make_detector"]

DETECTORS = ("embedded", "cascade", "retinaface_mobile0.25", "retinaface_resnet50")


def make_detector(name: str, device: str = "auto") -> FaceDetector:
    """The detector called `name`; RetinaFace's may carry their weights: retinaface_mobile0.25=PATH.

    Raises UsageError for an unknown name, WeightsError where the weights are not here or do not fit.
    """
    kind, separator, path = name.partition("=")
    own = kind in ("embedded", "cascade")
    if kind not in DETECTORS or (separator and own):
        raise UsageError(f"there is no detector '{name}'; there are: {', '.join(DETECTORS)}")
    if own:
        from vidrestore.detection.cascade import CascadeProposals
        from vidrestore.detection.embedded import EmbeddedDetector
        from vidrestore.detection.finder_net import FinderProposals

        return EmbeddedDetector(FinderProposals() if kind == "embedded" else CascadeProposals())
    from vidrestore.detection.retinaface import RetinaFaceDetector
    from vidrestore.runtime.device import resolve_device

    weights = expand_home(path) if separator else None
    return RetinaFaceDetector(kind, weights, str(resolve_device(device)))  # type: ignore[arg-type]
