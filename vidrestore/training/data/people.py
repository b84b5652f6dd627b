"""A set of faces with its manifest: which people are held out, and how often each face is used."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

from vidrestore.errors import InputError

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}
TURNED, DARK, OPEN_MOUTH = 0.25, 80.0, 0.2
"""Limits of yaw, mean luma and mouth opening. Faces beyond them are rare and are used twice as often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceFile:
    """A picture of an aligned face."""

    path: Path
    person: str
    """The name of the person, the same for all files of that person."""
    is_held_out: bool
    """Whether the person is only used for validation."""
    is_photo: bool
    """False: a synthetic picture."""
    weight: float = 1.0
    """How often it is used, relative to others."""
    border: float = 0.0
    """Width of the border around the aligned face, as a fraction of the picture's side."""
    attributes: tuple[tuple[str, str], ...] = ()
    """The non-empty columns of the manifest, by name."""

    def attribute(self, name: str) -> str:
        """The value of a column of the manifest, or "" if it is unknown."""
        return dict(self.attributes).get(name, "")


def list_faces(
    folder: Path, *, validation_share: float = 0.1, manifest: Path | None = None
) -> list[FaceFile]:
    """The faces of a folder in the order of their names.

    Args:
        folder: Pictures of aligned faces, and folders of them, one for each person. Names of
            files of one person in `folder` itself are equal up to "__".
        validation_share: Share of people that are held out by a hash, if the manifest does not say it, 0..1.
        manifest: A CSV file with a row for each file; by default `folder`/manifest.csv, if it exists.

    Raises:
        InputError: The folder has no pictures, or the manifest is not valid.
    """
    if not folder.is_dir():
        raise InputError(f"there is no folder of faces at {folder}")
    manifest = manifest or folder / "manifest.csv"
    rows = _read_manifest(manifest) if manifest.is_file() else {}
    files = sorted(p.relative_to(folder) for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    if not files:
        raise InputError(f"{folder} has no pictures in it")
    return [_face_file(folder, file, rows.get(_key(file), {}), validation_share) for file in files]


def _key(file: Path) -> str:
    """The file's name in a manifest, without its suffix, which may differ between folders."""
    return file.with_suffix("").as_posix()


def _read_manifest(path: Path) -> dict[str, dict[str, str]]:
    """The rows by the key of their file."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if "file" not in (reader.fieldnames or ()):
                raise InputError(f"{path} is not a manifest of faces: it has no column 'file'")
            return {_key(Path(row["file"])): row for row in reader}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"the manifest {path} cannot be read: {error}") from error


def _face_file(folder: Path, file: Path, row: dict[str, str], validation_share: float) -> FaceFile:
    """The face in `file`, relative to `folder`, with its row of the manifest."""
    name = file.stem.split("__")[0] if file.parent == Path() else file.parent.as_posix()
    person = row.get("person") or name
    split = row.get("split", "")
    held_out = split == "validation" if split else _hash_share(person) < validation_share
    rare = (
        abs(_number(row, "yaw", 0.0)) > TURNED
        or _number(row, "luma", 255.0) < DARK
        or _number(row, "mouth", 0.0) > OPEN_MOUTH
    )
    return FaceFile(
        path=folder / file,
        person=person,
        is_held_out=held_out,
        is_photo=row.get("kind", "photo") != "synthetic",
        weight=2.0 if rare else 1.0,
        attributes=tuple((name, value) for name, value in row.items() if value),
    )


def _number(row: dict[str, str], name: str, default: float) -> float:
    try:
        return float(row.get(name, ""))
    except ValueError:
        return default


def _hash_share(name: str) -> float:
    """A number 0..1 that depends on the name only."""
    digest = hashlib.sha256(name.encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32
