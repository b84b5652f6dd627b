"""The files of one command: none that it writes is another one that it reads or writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from vidrestore.errors import OutputError
from vidrestore.runtime.file_kinds import expand_home, is_same_file, location

_STREAM = "-"
"""Standard input or output."""


def check_apart(written: Mapping[str, Path | None], read: Iterable[str | Path | None]) -> None:
    """Checks the files of a command before its work.

    Args:
        written: The files to be written, by what they are called, such as `log`; None: not asked for.
        read: The files and sequences that it reads; None: not given.

    Raises:
        OutputError: One of those to be written is another of them, or is read.
    """
    given = {name: path for name, path in written.items() if path is not None and str(path) != _STREAM}
    names = list(given)
    for number, name in enumerate(names):
        for other in names[:number]:
            if _is_same(given[name], given[other]):
                raise OutputError(
                    f"{given[name]} is the name of the {name} and of the {other}; choose another name for one"
                )
        for path in read:
            if path is not None and str(path) != _STREAM and _is_same(given[name], Path(path)):
                raise OutputError(
                    f"{given[name]} is the name of the {name} and of an input; choose another name"
                )


def photo_of(faces: str | None) -> Path | None:
    """The photo that the setting `faces` names; None where it names none."""
    from vidrestore.tracking import LIKE

    return expand_home(faces.removeprefix(LIKE)) if faces and faces.startswith(LIKE) else None


def _is_same(one: Path, other: Path) -> bool:
    """Whether they have, or could get, a file in common: one of them may be a sequence."""
    if location(one) == location(other) or is_same_file(one, other):
        return True
    if "%" not in one.name + other.name:
        return False
    from vidrestore.video.formats.image_sequence import may_share_file

    return may_share_file(one, other)
