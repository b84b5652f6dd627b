"""Which files of a folder are restored, and what each becomes: the tree is mirrored."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from vidrestore.errors import InputError

VIDEOS = frozenset([
    ".3gp", ".asf", ".avi", ".dv", ".f4v", ".flv", ".m2ts", ".m2v", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg",
    ".mpg", ".mts", ".mxf", ".nut", ".ogv", ".ts", ".vob", ".webm", ".wmv",
])  # fmt: skip
"""Ends of names that are taken for videos where no pattern says which are."""
_WRITABLE = frozenset([
    ".3gp", ".asf", ".avi", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mxf", ".nut", ".ts", ".webm", ".wmv",
])  # fmt: skip
"""Of these, those that an output has as well; the others become .mkv, which holds everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchItem:
    """A file and what becomes of it."""

    name: str
    """Of the input, within its folder, with forward slashes."""
    source: Path
    target: Path


def find_items(
    folder: Path,
    out: Path,
    *,
    pattern: str | None,
    recursive: bool,
    extension: str | None,
    existing_targets: Mapping[str, str],
) -> list[BatchItem]:
    """The files of `folder` in order of their names; `pattern` is for names, as a shell takes it.

    `extension`: of all outputs, such as .mp4; None: the input's own where that can be written. Two inputs
    never have one output: those that would keep their whole names, a.mov.mp4. `existing_targets`: outputs of
    names that have one already. Raises InputError where there is no folder or nothing in it.
    """
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; check its name")
    names = sorted(_names(folder, out, pattern, recursive))
    if not names:
        wanted = f"{pattern}" if pattern else "a video"
        advice = "" if recursive else "; add --recursive to look into the folders in it"
        raise InputError(f"no file in {folder} is {wanted}{advice}")
    plain = {name: _output_name(name, extension) for name in names}
    target_counts = Counter(target.casefold() for target in plain.values())
    used = {target.casefold() for name, target in existing_targets.items() if name in plain}
    items = []
    for name in names:
        target = existing_targets.get(name)
        if target is None:
            alone = target_counts[plain[name].casefold()] == 1 and plain[name].casefold() not in used
            target = plain[name] if alone else name + Path(plain[name]).suffix
        items.append(BatchItem(name=name, source=folder / name, target=out / target))
    return items


def _names(folder: Path, out: Path, pattern: str | None, recursive: bool) -> Iterator[str]:
    """Without hidden files and, where that lies in `folder`, without what is in `out`."""
    for place, inside, files in os.walk(folder):
        inside[:] = sorted(
            d for d in inside if recursive and not d.startswith(".") and not _is_same(Path(place) / d, out)
        )
        for file in files:
            wanted = fnmatch(file, pattern) if pattern else Path(file).suffix.lower() in VIDEOS
            if wanted and not file.startswith("."):
                yield (Path(place) / file).relative_to(folder).as_posix()


def _output_name(name: str, extension: str | None) -> str:
    path = Path(name)
    is_writable = path.suffix.lower() in _WRITABLE
    return path.with_suffix(extension or (path.suffix if is_writable else ".mkv")).as_posix()


def _is_same(one: Path, other: Path) -> bool:
    return other.exists() and one.samefile(other)
