"""Reads and writes the sidecar of a video in the chosen folders. Changes by others are never lost."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vidrestore.errors import OutputError, UsageError
from vidrestore.jobs.sidecar_text import sidecar_text
from vidrestore.runtime.put_in_place import put_in_place
from vidrestore.settings.sidecar import Sidecar, parse_sidecar
from vidrestore.settings.yaml_file import MAX_BYTES, parse_yaml
from vidrestore.video.formats.suffixes import PICTURES, VIDEOS
from vidrestore.web.file_roots import FileRoots
from vidrestore.web.operations import ChangedError

_MOST_COPIES = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class SidecarFile:
    """A sidecar file and its content."""

    path: Path
    sidecar: Sidecar | None
    """None: there is no file."""
    digest: str | None
    """SHA-256 of the content; None: there is no file."""


def sidecar_path(video: Path) -> Path:
    """The path of a video's sidecar: `film.mp4.yaml` for `film.mp4`."""
    return video.with_name(f"{video.name}.yaml")


def check_named_video(path: Path) -> None:
    """Raises UsageError for a file without a video's name: beside it, a YAML file may mean something else."""
    if path.suffix.lower() not in VIDEOS | PICTURES:
        raise UsageError(f"{path.name} does not have the name of a video; a sidecar is written beside videos")


def read_sidecar(roots: FileRoots, path: Path) -> SidecarFile:
    """The sidecar file at `path`. Raises UsageError if it is another kind of file, or not in the folders."""
    content = _content(roots, path)
    if content is None:
        return SidecarFile(path=path, sidecar=None, digest=None)
    return SidecarFile(path=path, sidecar=_parsed(content, path), digest=_digest(content))


def write_sidecar(
    roots: FileRoots, path: Path, sidecar: Sidecar, *, digest: str | None
) -> tuple[SidecarFile, Path | None]:
    """Writes a sidecar file, complete or not at all.

    Args:
        roots: The chosen folders.
        path: The file.
        sidecar: The new content.
        digest: The digest of the file when the writer read it; None: there was no file.

    Returns:
        The file, and the path of a copy of the earlier file if that was edited by hand; else None.

    Raises:
        ChangedError: The file has changed since it was read.
        OutputError: It cannot be written.
        UsageError: The existing file is not a sidecar, or it is not in the folders.
    """
    data = sidecar_text(sidecar).encode()
    if len(data) > MAX_BYTES:
        raise UsageError(f"a sidecar must be smaller than {MAX_BYTES // 1000} kB")
    with roots.open_folder(path) as folder:
        earlier = _content(roots, path)
        if (None if earlier is None else _digest(earlier)) != digest:
            raise ChangedError(f"{path} has changed since it was read; open the video again")
        new = folder / f".{path.name}.{os.getpid()}.new"
        try:
            copy = _keep_comments(folder, path, earlier)
            descriptor = os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            put_in_place(new, folder / path.name, overwrite=earlier is not None)
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
        finally:
            with suppress(OSError):
                new.unlink(missing_ok=True)
    return SidecarFile(path=path, sidecar=sidecar, digest=_digest(data)), copy


def _keep_comments(folder: Path, path: Path, earlier: bytes | None) -> Path | None:
    """Copies a file that was edited by hand, because its comments would be lost."""
    if earlier is None or sidecar_text(_parsed(earlier, path)).encode() == earlier:
        return None
    for number in range(_MOST_COPIES):
        name = f"{path.name}.bak{number or ''}"
        try:
            descriptor = os.open(folder / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        except FileExistsError:
            continue
        with os.fdopen(descriptor, "wb") as file:
            file.write(earlier)
        return path.with_name(name)
    raise OutputError(f"{path} has {_MOST_COPIES} copies already; remove some")


def _content(roots: FileRoots, path: Path) -> bytes | None:
    if roots.is_missing(str(path)):
        return None
    with os.fdopen(roots.open_file(str(path)), "rb") as file:
        return file.read(MAX_BYTES + 1)


def _parsed(content: bytes, path: Path) -> Sidecar:
    return parse_sidecar(parse_yaml(content, path), path)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
