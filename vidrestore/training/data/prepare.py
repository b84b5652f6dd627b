"""Photographs -> aligned faces to train on, with a manifest that says what became of every file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vidrestore.detection import FaceDetector
from vidrestore.errors import InputError, OutputError, VidrestoreError
from vidrestore.faces.alignment import sharpness, similarity, similarity_scale, warp_face
from vidrestore.runtime.file_kinds import is_own_kind, is_same_file
from vidrestore.training.data.people import SUFFIXES
from vidrestore.types import FloatArray, Frame
from vidrestore.video import probe, read_frames

MANIFEST = "manifest.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceCriteria:
    """What a face must be to be kept, and how it is cut."""

    size: int = 512
    """Side of the aligned face without its border, pixels."""
    border: float = 0.0
    """Fraction of the whole picture's side that lies outside the aligned face, on each side."""
    min_share: float = 0.6
    """Least side of the face in its photograph, as a share of `size`: more enlargement is no clean face."""
    min_sharpness: float = 2.0
    """Least `sharpness`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestEntry:
    """A line of the manifest."""

    source: str
    """Relative to the folder of photographs."""
    file: str | None
    """The aligned face, relative to the manifest; None where there is none."""
    reason: str
    """kept, unreadable, no face, several faces, too small or too blurred."""
    side: float | None = None
    """Side that the aligned face has in its photograph, pixels."""
    sharpness: float | None = None
    landmarks: list[list[float]] | None = None
    """(5, 2) in the photograph."""


def prepare(source: Path, target: Path, detector: FaceDetector, criteria: FaceCriteria) -> Counter[str]:
    """Align the one face of every photograph below `source` into `target`; how many ended for which reason.

    Faces are PNG files under the photographs' own relative names. Raises InputError where there are no
    photographs, OutputError where `target` holds a manifest already.
    """
    if not source.is_dir():
        raise InputError(f"there is no folder of photographs at {source}")
    files = sorted(p for p in source.rglob("*") if p.suffix.lower() in SUFFIXES)
    if not files:
        raise InputError(f"{source} holds no photographs")
    if is_same_file(source, target):
        raise OutputError(f"{target} holds the photographs themselves; choose another folder for the faces")
    manifest = target / MANIFEST
    if not is_own_kind(manifest, "missing"):
        raise OutputError(f"{manifest} exists: choose a new folder, or remove the old one")
    target.mkdir(parents=True, exist_ok=True)
    reasons: Counter[str] = Counter()
    with manifest.open("x", encoding="utf-8") as file:
        for entry in (_prepare_one(p, source, target, detector, criteria) for p in files):
            file.write(json.dumps(asdict(entry)) + "\n")
            reasons[entry.reason] += 1
    return reasons


def read_manifest(path: Path) -> Iterator[ManifestEntry]:
    """The entries of a manifest."""
    for line in path.read_text(encoding="utf-8").splitlines():
        yield ManifestEntry(**json.loads(line))


def _prepare_one(
    path: Path, source: Path, target: Path, detector: FaceDetector, criteria: FaceCriteria
) -> ManifestEntry:
    name = str(path.relative_to(source))
    try:
        frame = next(iter(read_frames(path, probe(path))))
    except (VidrestoreError, StopIteration):
        return ManifestEntry(source=name, file=None, reason="unreadable")
    faces = detector.detect(frame)
    if len(faces) != 1:
        return ManifestEntry(source=name, file=None, reason="several faces" if faces else "no face")
    (face,) = faces
    side = criteria.size / similarity_scale(similarity(face.landmarks, criteria.size))
    picture = _cut(frame, face.landmarks, criteria)
    sharp = sharpness(_without_border(picture, criteria))
    reason = "kept"
    if side < criteria.min_share * criteria.size:
        reason = "too small"
    elif sharp < criteria.min_sharpness:
        reason = "too blurred"
    file = Path(name).with_suffix(".png")
    if not is_own_kind(target / file, "missing"):  # of a photograph that differs by its suffix alone
        file = Path(f"{name}.png")
    if reason == "kept":
        _write(target / file, np.round(picture[:, :, ::-1] * 255).astype(np.uint8))
    return ManifestEntry(
        source=name,
        file=str(file) if reason == "kept" else None,
        reason=reason,
        side=round(side, 1),
        sharpness=round(sharp, 2),
        landmarks=[[round(float(v), 2) for v in point] for point in face.landmarks],
    )


def _write(path: Path, codes: NDArray[np.uint8]) -> None:
    """A new PNG. Raises OutputError where something has its name, or it cannot be written."""
    data = cv2.imencode(".png", codes)[1]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(data.tobytes())
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error


def _cut(frame: Frame, landmarks: FloatArray, criteria: FaceCriteria) -> FloatArray:
    whole = round(criteria.size / (1 - 2 * criteria.border))
    to_crop = similarity(landmarks, criteria.size)
    to_crop[:, 2] += (whole - criteria.size) / 2
    return warp_face(frame, to_crop, whole)


def _without_border(picture: FloatArray, criteria: FaceCriteria) -> FloatArray:
    edge = (picture.shape[0] - criteria.size) // 2
    return picture[edge : edge + criteria.size, edge : edge + criteria.size]
