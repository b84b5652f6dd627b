"""Views of a face in result, truth and input: crops with the same alignment, descriptors and points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vidrestore.detection import FaceDetector
from vidrestore.evaluation.measures import FACE_SIDE, Subject
from vidrestore.evaluation.moments import Moment
from vidrestore.evaluation.openings import lid_opening
from vidrestore.face_mesh import FaceMesh, mouth_opening
from vidrestore.faces.alignment import face_to_crop, transform_points, warp_face
from vidrestore.faces.orientation import detection_from_upright, upright_frame, upright_matrix
from vidrestore.identity import FaceRecogniser
from vidrestore.types import Detection, FloatArray, Frame, TrackedFace


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceView:
    """A face in one file, in one frame."""

    crop: FloatArray = field(repr=False)
    """The crop (256, 256, 3) RGB in 0..1, aligned with the reference's points."""
    placed: NDArray[np.float64]
    """The reference's points in the crop, (5, 2)."""
    points: NDArray[np.float64] | None
    """The points found in this file, in the crop, (5, 2); None: the network found no face."""
    shown: NDArray[np.float64] | None
    """The same points in the frame, in the crop's scale, (5, 2); they move with the face."""
    descriptor: FloatArray = field(repr=False)
    """(128,)"""
    mouth: float
    lids: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceNetworks:
    """The networks that measure faces."""

    detector: FaceDetector
    recogniser: FaceRecogniser
    mesh: FaceMesh


def view_faces(moment: Moment, networks: FaceNetworks) -> list[dict[Subject, FaceView]]:
    """The views of each face in all files."""
    subjects = tuple(moment.frames)
    crops, maps = [], []
    for face in moment.faces:
        to_crop = face_to_crop(moment.frames["result"], face.landmarks, FACE_SIDE)
        maps.append(to_crop)
        crops += [warp_face(moment.frames[subject], to_crop, FACE_SIDE) for subject in subjects]
    descriptors, meshes = networks.recogniser.describe(crops), networks.mesh.points(crops)
    shown = {subject: upright_frame(frame) for subject, frame in moment.frames.items()}
    views: list[dict[Subject, FaceView]] = []
    for number, (face, to_crop) in enumerate(zip(moment.faces, maps, strict=True)):
        placed = transform_points(to_crop, face.landmarks)
        of_face: dict[Subject, FaceView] = {}
        for at, subject in enumerate(subjects, number * len(subjects)):
            found = _detected(moment.frames[subject], shown[subject], face, networks.detector)
            scale = float(np.sqrt(abs(np.linalg.det(to_crop[:, :2]))))
            of_face[subject] = FaceView(
                crop=crops[at],
                placed=placed,
                points=None if found is None else _in_crop(found, moment.frames[subject], to_crop),
                shown=None if found is None else found.landmarks.astype(np.float64) * scale,
                descriptor=descriptors[at],
                mouth=mouth_opening(meshes[at]),
                lids=lid_opening(crops[at], placed),
            )
        views.append(of_face)
    return views


def _detected(coded: Frame, shown: Frame, face: TrackedFace, detector: FaceDetector) -> Detection | None:
    """The face that the landmark network finds in this frame."""
    points = transform_points(upright_matrix(coded), face.landmarks).astype(np.float32)
    near = Detection(box=np.array([*points.min(0), *points.max(0)], np.float32), landmarks=points, score=1.0)
    found: Sequence[Detection] = detector.follow(shown, [near])
    return found[0] if found else None


def _in_crop(found: Detection, coded: Frame, to_crop: NDArray[np.float64]) -> NDArray[np.float64]:
    return transform_points(to_crop, detection_from_upright(found, coded).landmarks)
