"""The paper's measures of one face: NIQE, and where there is a truth, its differences from the truth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vidrestore.colour.arrays import frame_from_array
from vidrestore.detection import make_detector
from vidrestore.evaluation import image
from vidrestore.evaluation.face_measures import decibels
from vidrestore.evaluation.left_out import LeftOut, load_lpips
from vidrestore.evaluation.measures import FACE_SIDE, Subject
from vidrestore.evaluation.natural_faces import load_natural_faces
from vidrestore.evaluation.niqe import niqe
from vidrestore.evaluation.paper_table import Values
from vidrestore.faces.alignment import template
from vidrestore.identity import identity_angle, make_recogniser
from vidrestore.restoration.estimator import resized
from vidrestore.runtime.device import resolve_device
from vidrestore.types import Detection, FloatArray

Faces = dict[Subject, FloatArray]
"""The versions of one picture (input, result, truth), (512, 512, 3) RGB in 0..1 each."""


class PaperFaces:
    """Measures aligned faces by the networks that it holds."""

    def __init__(self, device: str, *, has_truth: bool) -> None:
        """Load the networks. Without truth only NIQE is measured.

        Args:
            device: auto, cpu, cuda or mps.
            has_truth: Whether each picture has a clean version.

        Raises:
            WeightsError, DeviceError: A network cannot be loaded.
        """
        self.device = str(resolve_device(device))
        self._natural = load_natural_faces()
        self._has_truth = has_truth
        if not has_truth:
            self.missing: LeftOut | None = None
            return
        lpips = load_lpips(self.device)
        self.missing = lpips if isinstance(lpips, LeftOut) else None
        self._lpips = None if isinstance(lpips, LeftOut) else lpips
        self._detector = make_detector("embedded", self.device)
        self._recogniser = make_recogniser(self.device)

    def measure(self, faces: Faces) -> dict[Subject, Values]:
        """Values by measure, for each version; no landmark distance where the network sees no face."""
        values: dict[Subject, Values] = {
            subject: {"niqe": niqe(resized(face, FACE_SIDE), self._natural)}
            for subject, face in faces.items()
        }
        if not self._has_truth:
            return values
        truth, true_points = faces["truth"], self._points(faces["truth"])
        subjects = [subject for subject in faces if subject != "truth"]
        descriptors = self._recogniser.describe([*(faces[s] for s in subjects), truth])
        for subject, descriptor in zip(subjects, descriptors[:-1], strict=True):
            found, face = values[subject], faces[subject]
            found["psnr"] = decibels(face, truth)
            found["ssim"] = image.ssim(face, truth, "rgb")
            found["ida"] = identity_angle(descriptor, descriptors[-1])
            points = self._points(face)
            if points is not None and true_points is not None:
                found["lmd"] = float(np.linalg.norm(points - true_points, axis=1).mean())
            if self._lpips is not None:
                found["lpips"] = self._lpips.distance(face, truth)
        return values

    def _points(self, face: FloatArray) -> NDArray[np.float64] | None:
        """(5, 2) landmarks [px] near the template's positions; None where the network sees no face."""
        near = template(face.shape[0]).astype(np.float32)
        expected = Detection(
            box=np.array([*near.min(0), *near.max(0)], np.float32), landmarks=near, score=1.0
        )
        frame = frame_from_array(np.rint(face * 255).astype(np.uint8))
        found = self._detector.follow(frame, [expected])
        return found[0].landmarks.astype(np.float64) if found else None
