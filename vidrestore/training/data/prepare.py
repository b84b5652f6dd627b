"""Makes aligned faces for training from photographs, with a manifest of all files."""

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
    """Which faces are kept, and how they are cropped."""

    size: int = 512
    """Side of the aligned face without its border [px]."""
    border: float = 0.0
    """Width of the border on each side, as a fraction of the whole picture's side."""
    min_share: float = 0.6
    """Smallest side of the face in its photograph, as a fraction of `size`; smaller ones would be blurred."""
    min_sharpness: float = 2.0
    """Smallest `sharpness`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestEntry:
    """A line of the manifest."""

    source: str
    """The photograph, relative to its folder."""
    file: str | None
    """The aligned face, relative to the manifest; None: the photograph was not used."""
    reason: str
    """kept, unreadable, no face, several faces, too small or too blurred."""
    side: float | None = None
    """Side of the aligned face in its photograph [px]."""
    sharpness: float | None = None
    landmarks: list[list[float]] | None = None
    """(5, 2) points in the photograph [px]."""


def prepare(source: Path, target: Path, detector: FaceDetector, criteria: FaceCriteria) -> Counter[str]:
    """Writes the aligned faces of all photographs with exactly one face.

    Faces are PNG files with the relative names of the photographs.

    Args:
        source: The folder of photographs, with its subfolders.
        target: The folder of faces and of the manifest.
        detector: Finds the faces.
        criteria: Which faces are kept.

    Returns:
        The number of photographs for each status of `ManifestEntry`.

    Raises:
        InputError: There are no photographs.
        OutputError: `target` has a manifest already, or cannot be written.
    """
    if not source.is_dir():
        raise InputError(f"there is no folder of photographs at {source}")
    files = sorted(p for p in source.rglob("*") if p.suffix.lower() in SUFFIXES)
    if not files:
        raise InputError(f"{source} has no photographs in it")
    if is_same_file(source, target):
        raise OutputError(f"{target} is the folder of the photographs; choose another folder for the faces")
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
    if not is_own_kind(target / file, "missing"):  # another suffix, the same name
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
    """Writes a new PNG. Raises OutputError if the name is taken or the file cannot be written."""
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
