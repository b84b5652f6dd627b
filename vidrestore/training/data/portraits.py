"""Training data of the landmark network: portraits with five points from another detector, the teacher."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.training.data.people import list_faces

Portrait = tuple[NDArray[np.uint8], NDArray[np.float32]]
"""A picture (h, w, 3) RGB and its five points (5, 2) [px]."""
MIRRORED = [1, 0, 2, 4, 3]
"""The indices of the five points in a mirrored picture."""
MARGIN = 16
"""Margin in pixels that is added around a portrait for the teacher."""


def load_portraits(
    faces: Path, teacher_file: Path, validation_share: float, manifest: Path | None = None
) -> tuple[list[Portrait], list[Portrait]]:
    """Portraits with the teacher's points, for training and for validation, without uncertain ones.

    Args:
        faces: A folder of aligned faces.
        teacher_file: The file of YuNet (libfacedetection).
        validation_share: Share of people that are held out, if the manifest does not say it, 0..1.
        manifest: A CSV file about the faces; None: the folder's own, if it exists.
    """
    teacher = cv2.FaceDetectorYN.create(str(teacher_file), "", (320, 320), 0.7)
    training: list[Portrait] = []
    validation: list[Portrait] = []
    for file in list_faces(faces, validation_share=validation_share, manifest=manifest):
        picture = cv2.imread(str(file.path))
        points = None if picture is None else _teacher_detection(teacher, picture)
        if picture is not None and points is not None:
            rgb = np.ascontiguousarray(picture[:, :, ::-1]).astype(np.uint8)
            (validation if file.is_held_out else training).append((rgb, points))
    return training, validation


def rarity(landmarks: NDArray[np.floating]) -> float:
    """How often to use a portrait, relative to frontal ones; turned heads are rare."""
    eyes = landmarks[1] - landmarks[0]
    middle = (landmarks[0] + landmarks[1]) / 2
    yaw = abs(float((landmarks[2] - middle) @ eyes)) / max(float(eyes @ eyes), 1e-6)
    return float(np.clip(yaw / 0.12, 1.0, 6.0))


def read_pictures(folder: Path) -> list[NDArray[np.uint8]]:
    """The pictures of a folder, (h, w, 3) RGB, each also at half its size, a quarter, and so on."""
    pictures = []
    for file in sorted(folder.iterdir()):
        picture = cv2.imread(str(file))
        while picture is not None and min(picture.shape[:2]) >= 64:
            pictures.append(np.ascontiguousarray(picture[:, :, ::-1]).astype(np.uint8))
            picture = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return pictures


def _teacher_detection(teacher: cv2.FaceDetectorYN, picture: NDArray[Any]) -> NDArray[np.float32] | None:
    """The teacher's five points (5, 2) on `picture`; None: it is uncertain.

    The result is the mean over the picture with a margin, at three sizes and mirrored; its error is smaller
    than that of a single detection.
    """
    answers = []
    for scale in (0.85, 1.0, 1.2):
        resized = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC))
        for mirrored in (False, True):
            points = _detect_once(teacher, resized[:, ::-1] if mirrored else resized)
            if points is None:
                return None
            if mirrored:
                points = (np.array([resized.shape[1] - 1, 0]) + np.array([-1, 1]) * points)[MIRRORED]
            answers.append((points + 0.5) / scale - 0.5)
    return np.mean(answers, axis=0).astype(np.float32)


def _detect_once(teacher: cv2.FaceDetectorYN, picture: NDArray[Any]) -> NDArray[np.float32] | None:
    height, width = picture.shape[:2]
    side = max(height, width) + 2 * MARGIN
    top, left = (side - height) // 2, (side - width) // 2
    canvas = np.full((side, side, 3), 127, np.uint8)
    canvas[top : top + height, left : left + width] = picture
    teacher.setInputSize((side, side))
    found: NDArray[Any] | None = teacher.detect(canvas)[1]
    if found is None or len(found) != 1:
        return None
    return (found[0, 4:14].reshape(5, 2) - [left, top]).astype(np.float32)
