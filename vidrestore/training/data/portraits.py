"""Portraits with five points that a teacher places: what the embedded detector's networks learn from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.training.config import DataConfig
from vidrestore.training.data.dataset import split_people

Portrait = tuple[NDArray[np.uint8], NDArray[np.float32]]
"""A picture (h, w, 3) RGB and its five points (5, 2) [px]."""
MIRRORED = [1, 0, 2, 4, 3]
"""Order of the five points in a mirrored picture."""
TEACHER_SIDE = 640


def load_portraits(
    faces: Path, teacher_file: Path, validation_share: float
) -> tuple[list[Portrait], list[Portrait]]:
    """Portraits with the teacher's points, for training and for validation; unsure ones are left out.

    `teacher_file`: YuNet for 640 x 640 pixels (libfacedetection).
    """
    teacher = cv2.FaceDetectorYN.create(str(teacher_file), "", (TEACHER_SIDE, TEACHER_SIDE), 0.7)
    sides = split_people(DataConfig(faces=faces, validation_share=validation_share))
    labelled: tuple[list[Portrait], list[Portrait]] = ([], [])
    for files, portraits in zip(sides, labelled, strict=True):
        for file in files:
            picture = cv2.imread(str(file))
            points = None if picture is None else _teacher_detection(teacher, picture)
            if picture is not None and points is not None:
                portraits.append((np.ascontiguousarray(picture[:, :, ::-1]).astype(np.uint8), points))
    return labelled


def read_pictures(folder: Path) -> list[NDArray[np.uint8]]:
    """The folder's pictures (h, w, 3) RGB, each also at half and a quarter of its size, and so on."""
    pictures = []
    for file in sorted(folder.iterdir()):
        picture = cv2.imread(str(file))
        while picture is not None and min(picture.shape[:2]) >= 64:
            pictures.append(np.ascontiguousarray(picture[:, :, ::-1]).astype(np.uint8))
            picture = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return pictures


def _teacher_detection(teacher: cv2.FaceDetectorYN, picture: NDArray[Any]) -> NDArray[np.float32] | None:
    """The teacher's five points (5, 2) on `picture`; None if unsure.

    It is given the picture with a margin, at three sizes and mirrored; the mean of its answers has a smaller
    error than each of them.
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
    top, left = (TEACHER_SIDE - height) // 2, (TEACHER_SIDE - width) // 2
    canvas = np.full((TEACHER_SIDE, TEACHER_SIDE, 3), 127, np.uint8)
    canvas[top : top + height, left : left + width] = picture
    found: NDArray[Any] | None = teacher.detect(canvas)[1]
    if found is None or len(found) != 1:
        return None
    return (found[0, 4:14].reshape(5, 2) - [left, top]).astype(np.float32)
