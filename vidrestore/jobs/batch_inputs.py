"""The inputs of a batch and the name of each output: the output folder mirrors the input folder."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import count
from pathlib import Path, PurePosixPath

from vidrestore.errors import InputError, UsageError
from vidrestore.runtime.file_kinds import identity, is_same_file
from vidrestore.video.formats.suffixes import PICTURES, VIDEOS
from vidrestore.video.reading.animation import is_animation

_WRITABLE = frozenset([
    ".3gp", ".apng", ".asf", ".avi", ".gif", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mxf", ".nut", ".ts",
    ".webm", ".wmv",
])  # fmt: skip
"""Suffixes that an output keeps; all others become .mkv, which can hold everything."""
_ANIMATED = frozenset([".png", ".webp"])
"""Suffixes of pictures that may be animations: these become .apng, which keeps every picture as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchItem:
    """An input file and its output."""

    name: str
    """The input's path relative to its folder, with forward slashes."""
    source: Path
    target: Path
    problem: str | None = None
    """Why it cannot be read at all."""


def find_items(
    folder: Path,
    out: Path,
    *,
    pattern: str | None,
    recursive: bool,
    extension: str | None,
    existing_targets: Mapping[str, str],
) -> list[BatchItem]:
    """The files of `folder`, sorted by name, each with its own output.

    Args:
        folder: The folder of the inputs.
        out: The folder of the outputs; files in it are not inputs.
        pattern: A shell pattern of names; None: the usual suffixes of videos and pictures.
        recursive: Whether to include the folders in `folder`.
        extension: The suffix of all videos' outputs, such as .mp4; None: the input's, if it can be written.
        existing_targets: Outputs of earlier runs, relative to `out`, by the name of their input.

    Returns:
        One item for each file, and one for each folder that cannot be read.

    Raises:
        InputError: The folder does not exist, or holds no input.
        UsageError: Inputs and outputs have the same folder.
    """
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; check its name")
    if is_same_file(folder, out):
        raise UsageError(f"{out} is the folder of the inputs; choose another one for the outputs")
    unreadable: dict[str, str] = {}
    names = sorted(_names(folder, out, pattern, recursive, unreadable))
    if not names and not unreadable:
        wanted = f"{pattern}" if pattern else "a video or a picture"
        advice = "" if recursive else "; add --recursive to include its subfolders"
        raise InputError(f"no file in {folder} is {wanted}{advice}")
    targets = _Targets(folder, out, names).assign(
        {name: _output_name(folder, name, extension) for name in names}, existing_targets
    )
    items = [BatchItem(name=n, source=folder / n, target=out / targets[n]) for n in names]
    items += [
        BatchItem(name=n, source=folder / n, target=out / n, problem=why) for n, why in unreadable.items()
    ]
    return sorted(items, key=lambda item: item.name)


class _Targets:
    """Assigns unique names of outputs, none of which is that of an input or of a folder of outputs."""

    def __init__(self, folder: Path, out: Path, names: Sequence[str]) -> None:
        self._out = out
        self._used = {_key(parent.as_posix()) for name in names for parent in PurePosixPath(name).parents}
        self._inputs = {place for name in names if (place := identity(folder / name)) is not None}

    def assign(self, plain: Mapping[str, str], existing: Mapping[str, str]) -> dict[str, str]:
        """The output of each input: its existing one, else `plain`, else its full name, such as a.mov.mp4."""
        counts = Counter(_key(target) for target in plain.values())
        targets: dict[str, str] = {}
        for name, target in plain.items():
            before = existing.get(name)
            if before is not None and Path(before).suffix == Path(target).suffix and self._take(before):
                targets[name] = before
        for name, target in plain.items():
            if name not in targets and counts[_key(target)] == 1 and self._take(target):
                targets[name] = target
        for name, target in plain.items():
            if name not in targets:
                suffix = Path(target).suffix
                candidates = (f"{name}.{n}{suffix}" if n > 1 else name + suffix for n in count(1))
                targets[name] = next(candidate for candidate in candidates if self._take(candidate))
        return targets

    def _take(self, target: str) -> bool:
        if identity(self._out / target) in self._inputs or _key(target) in self._used:
            return False
        self._used.add(_key(target))
        return True


def _key(name: str) -> str:
    """The same key for names that some file system treats as equal."""
    return unicodedata.normalize("NFC", name).casefold()


def _names(
    folder: Path, out: Path, pattern: str | None, recursive: bool, unreadable: dict[str, str]
) -> Iterator[str]:
    """The names of the inputs, without hidden files and without files in `out`.

    Folders that cannot be read are added to `unreadable`, with the reason.
    """

    def note(error: OSError) -> None:
        place = Path(error.filename or folder).relative_to(folder).as_posix()
        unreadable[place] = f"cannot read the folder {error.filename}: {error.strerror or error}"

    for place, inside, files in os.walk(folder, onerror=note):
        inside[:] = sorted(
            d
            for d in inside
            if recursive and not d.startswith(".") and not is_same_file(Path(place) / d, out)
        )
        for file in files:
            wanted = fnmatch(file, pattern) if pattern else Path(file).suffix.lower() in VIDEOS | PICTURES
            if wanted and not file.startswith("."):
                yield (Path(place) / file).relative_to(folder).as_posix()


def _output_name(folder: Path, name: str, extension: str | None) -> str:
    path = Path(name)
    if path.suffix.lower() in _ANIMATED and is_animation(folder / name):
        return path.with_suffix(extension or ".apng").as_posix()
    if path.suffix.lower() in PICTURES:
        return path.as_posix()
    is_writable = path.suffix.lower() in _WRITABLE
    return path.with_suffix(extension or (path.suffix if is_writable else ".mkv")).as_posix()
