"""Image sequences: patterns such as shots/%05d.png, and the numbers of the existing pictures."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from vidrestore.errors import InputError
from vidrestore.runtime.file_kinds import is_same_file, location
from vidrestore.video.formats.suffixes import VIDEOS

_DIGITS = re.compile(r"[0-9]{1,18}")
_LARGEST_NUMBER = 2**31 - 2
"""FFmpeg counts pictures in 32 bits, and opens none after the last that there can be."""
_NUMBER = re.compile(r"(?P<prefix>[^%]*)%(?:0(?P<digits>\d{1,2}))?d(?P<suffix>[^%]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A file name with one number, in printf's notation."""

    folder: Path
    prefix: str
    digits: int
    """Minimum number of digits; 0 for %d."""
    suffix: str

    def __str__(self) -> str:
        number = f"%0{self.digits}d" if self.digits else "%d"
        return str(self.folder / f"{self.prefix}{number}{self.suffix}")

    def path(self, number: int) -> Path:
        """The file of the picture with this number."""
        return self.folder / self._name(number)

    def numbers(self) -> list[int]:
        """The numbers of all existing files, ascending."""
        found = (self._number_of(path.name) for path in self.folder.iterdir())
        return sorted(number for number in found if number is not None)

    def files(self) -> list[Path]:
        """The paths of all existing pictures, also of those whose names the file system takes for these."""
        names = {path.name for path in self.folder.iterdir()}
        folded = replace(self, prefix=self.prefix.casefold(), suffix=self.suffix.casefold())
        found = {folded._number_of(name.casefold()) for name in names}
        numbers = sorted(number for number in found if number is not None)
        return [
            self.path(number)
            for number in numbers
            if self._name(number) in names or os.path.lexists(self.path(number))
        ]

    def is_match(self, name: str) -> bool:
        """Whether a file of that name belongs to the sequence."""
        return self._number_of(name) is not None

    def matches(self, path: Path) -> bool:
        """Whether the path belongs to the sequence."""
        number = path.name.removeprefix(self.prefix).removesuffix(self.suffix)
        return number.isascii() and number.isdigit() and self.path(int(number)) == path

    def for_ffmpeg(self) -> str:
        """The pattern for FFmpeg's image2 demuxer: other percent signs are doubled."""
        number = f"%0{self.digits}d" if self.digits else "%d"
        return ffmpeg_name(f"{str(self.folder).replace('%', '%%')}/{self.prefix}{number}{self.suffix}")

    def _name(self, number: int) -> str:
        return f"{self.prefix}{number:0{self.digits}d}{self.suffix}"

    def _number_of(self, name: str) -> int | None:
        digits = name[len(self.prefix) : len(name) - len(self.suffix)]
        fits = name.startswith(self.prefix) and name.endswith(self.suffix)
        if not fits or not _DIGITS.fullmatch(digits):
            return None
        # 007 does not match %d.
        return int(digits) if self._name(int(digits)) == name else None


def ffmpeg_name(path: str) -> str:
    """The path as FFmpeg takes it for a file, whatever its name: `12:30/a.png` has no protocol `12`."""
    return f"file:{path}" if ":" in path or path.startswith("-") else path


def is_pattern(path: Path) -> bool:
    """Whether the name is a pattern. An existing file with that name, or a name of a video, is not."""
    is_video = path.suffix.lower() in VIDEOS
    return _NUMBER.fullmatch(path.name) is not None and not is_video and not path.is_file()


def parse_pattern(path: Path) -> Pattern:
    """The pattern in a name for which `is_pattern` is true."""
    match = _NUMBER.fullmatch(path.name)
    assert match is not None
    return Pattern(
        folder=path.parent, prefix=match["prefix"], digits=int(match["digits"] or 0), suffix=match["suffix"]
    )


def existing_files(path: Path) -> list[Path]:
    """The pictures there are of a sequence; of everything else the path itself."""
    if not is_pattern(path):
        return [path]
    pattern = parse_pattern(path)
    return pattern.files() if pattern.folder.is_dir() else []


def may_share_file(one: Path, other: Path) -> bool:
    """Whether two files or sequences have, or could get, a file in common. Case never matters."""
    if location(one) == location(other) or is_same_file(one, other):
        return True
    folders = [str(path.parent.resolve()).casefold() for path in (one, other)]
    if folders[0] != folders[1] and not is_same_file(one.parent, other.parent):
        return False
    first, second = (parse_pattern(_folded(path)) if is_pattern(path) else None for path in (one, other))
    if first is not None and second is not None:
        return _differ_in_digits(first.prefix, second.prefix) and _differ_in_digits(
            first.suffix[::-1], second.suffix[::-1]
        )
    if first is not None:
        return first.is_match(_folded(other).name)
    return second is not None and second.is_match(_folded(one).name)


def _folded(path: Path) -> Path:
    return path.with_name(path.name.casefold())


def _differ_in_digits(one: str, other: str) -> bool:
    """Whether the texts are equal but for digits at the end of one of them."""
    short, long = sorted((one, other), key=len)
    return long.startswith(short) and not long.removeprefix(short).strip("0123456789")


def refuse_other_size(path: Path, size: tuple[int, int], first: tuple[int, int]) -> None:
    """Raises InputError if a picture has another size (width, height) than the first one.

    Args:
        path: The picture.
        size: Its width and height.
        first: Width and height of the first picture.
    """
    if size != first:
        raise InputError(
            f"{path} is {size[0]} x {size[1]} pixels, but the first picture is {first[0]} x {first[1]}; "
            "restore the pictures of each size as a separate sequence"
        )


def find_pictures(pattern: Pattern) -> range:
    """The numbers of the sequence, without gaps.

    Raises:
        InputError: There are no pictures, numbers are missing, or one is too large.
    """
    if not pattern.folder.is_dir():
        raise InputError(f"there is no folder {pattern.folder}; check the name")
    numbers = pattern.numbers()
    if not numbers:
        raise InputError(f"there is no picture {pattern}, such as {pattern.path(1).name}; check the name")
    if numbers[-1] > _LARGEST_NUMBER:
        raise InputError(
            f"{pattern.path(numbers[-1])} has a larger number than {_LARGEST_NUMBER}, the last that can be "
            "read; number the pictures again, from 1 on"
        )
    whole = range(numbers[0], numbers[-1] + 1)
    if (missing := len(whole) - len(numbers)) > 0:
        existing = set(numbers)
        first = pattern.path(next(number for number in whole if number not in existing)).name
        more = f" and {missing - 1} more" if missing > 1 else ""
        raise InputError(
            f"the sequence {pattern} has a gap: {first}{more} of {whole[0]} to {whole[-1]} is not "
            "there; put it back or number the pictures again"
        )
    return whole
