"""Finds corresponding files. A missing one is an error, because leaving its partner out changes the score."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vidrestore.errors import InputError, UsageError
from vidrestore.evaluation.measures import Subject
from vidrestore.video import open_input
from vidrestore.video.picture_folder import pictures_in


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFiles:
    """A picture and the corresponding ones."""

    name: str
    files: dict[Subject, Path]


def is_pictures(path: Path) -> bool:
    """Whether the result is one picture or a folder of them, not a video or a numbered sequence.

    Raises:
        InputError: There is no such file or folder.
    """
    if path.is_dir():
        return True
    given = open_input(path)
    if given.pictures is None and not path.is_file():
        raise InputError(f"there is no file {path}; check the name")
    return given.is_picture and given.pictures is None


def pair_pictures(paths: dict[Subject, Path], *, of: Subject = "result") -> list[PictureFiles]:
    """The pictures of the result in the order of their names, each with those of truth and input.

    Suffixes may differ.

    Args:
        paths: The result and the paths to compare it with: all files, or all folders.
        of: The one whose pictures must have partners in the others.

    Raises:
        InputError: A picture has no partner, or two pictures of a folder differ only in their suffix.
        UsageError: A file is compared with a folder.
    """
    result = paths[of]
    for subject, path in paths.items():
        if not path.exists():
            raise InputError(f"there is no file or folder {path}; check the name of the {subject}")
        if path.is_dir() != result.is_dir():
            raise UsageError(f"{result} and {path} must both be pictures or both be folders")
    if not result.is_dir():
        return [PictureFiles(name=result.name, files=dict(paths))]
    listed = {subject: _pictures_in(path) for subject, path in paths.items()}
    for subject, found in listed.items():
        _compare_names(listed[of], found, (of, result), (subject, paths[subject]))
    return [
        PictureFiles(name=found.name, files={subject: listed[subject][stem] for subject in paths})
        for stem, found in sorted(listed[of].items())
    ]


def enlargement(given: tuple[int, int], result: tuple[int, int]) -> int:
    """By how much `restore --upscale` enlarged the input, by sizes (width, height): 2, 4, or 1 for not."""
    factors = (f for f in (2, 4) if (given[0] * f, given[1] * f) == result)
    return next(factors, 1)


def check_sizes(sizes: dict[Path, tuple[int, int]]) -> None:
    """Raises InputError if the files have different sizes."""
    (first, size), *others = sizes.items()
    for path, other in others:
        if other != size:
            raise InputError(
                f"{path} is {other[0]} x {other[1]} pixels, but {first} is {size[0]} x {size[1]}; compare "
                "pictures of one size"
            )


def _pictures_in(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in pictures_in(folder):
        stem = path.relative_to(folder).with_suffix("").as_posix()
        if stem in found:
            raise InputError(f"{found[stem]} and {path} are one picture by their names; remove one of them")
        found[stem] = path
    return found


def _compare_names(
    names: dict[str, Path],
    others: dict[str, Path],
    folder: tuple[Subject, Path],
    other: tuple[Subject, Path],
) -> None:
    for there, here, (subject, lacking), (_, holding) in (
        (names, others, other, folder),
        (others, names, folder, other),
    ):
        if without := sorted(there.keys() - here.keys()):
            raise InputError(_sentence(f"{lacking} lacks the {subject} of", without, holding))


def _sentence(what: str, names: list[str], folder: Path) -> str:
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{what} {names[0]}{more}, which is in {folder}; every picture must have its partner"
