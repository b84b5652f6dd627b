"""Reads and writes timelines by OpenTimelineIO and the adapters that are installed with it."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import opentimelineio as otio

from vidrestore.errors import InputError, OutputError, UsageError
from vidrestore.runtime.file_kinds import is_same_file, kind_of
from vidrestore.runtime.marked_folder import temporary_name
from vidrestore.runtime.put_in_place import check_replaceable, put_in_place

_MAX_DEPTH = 400
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")


def read_timeline(path: Path) -> otio.core.SerializableObject:
    """The timeline in a file. Raises InputError where it cannot be read as one."""
    if not path.is_file():
        raise InputError(f"{path} is not there, or is no file; give an OpenTimelineIO timeline")
    try:
        if path.suffix.lower() == ".otio" and _depth(path.read_bytes()) > _MAX_DEPTH:
            raise InputError(f"{path} cannot be read as a timeline: it is nested too deeply")
        return otio.adapters.read_from_file(str(path))
    except InputError:
        raise
    except otio.exceptions.NoKnownAdapterForExtensionError as error:
        raise InputError(_unknown_kind(path)) from error
    except Exception as error:  # adapters raise what they like
        raise InputError(f"{path} cannot be read as a timeline: {_first_line(error)}") from error


def check_timeline_target(source: Path, target: Path, *, overwrite: bool) -> None:
    """Raise UsageError or OutputError where the new timeline cannot be written to `target`."""
    suffix = target.suffix.lower().removeprefix(".")
    if suffix not in otio.adapters.suffixes_with_defined_adapters(write=True):
        raise UsageError(_unknown_kind(target))
    if not target.parent.is_dir():
        raise OutputError(f"the folder {target.parent} does not exist; create it or choose another")
    if is_same_file(source, target):
        raise OutputError(f"{target} is the timeline itself; choose another name for the result")
    check_replaceable(target)
    if kind_of(target) == "file" and not overwrite:
        raise OutputError(f"{target} exists already; choose another name or add --overwrite")


def write_timeline(timeline: otio.core.SerializableObject, target: Path, *, overwrite: bool) -> None:
    """Write the timeline atomically. Raises OutputError."""
    new = target.with_name(temporary_name(".", target.name, target.parent) + target.suffix)
    try:
        otio.adapters.write_to_file(timeline, str(new))
        put_in_place(new, target, overwrite=overwrite)
    except OutputError:
        raise
    except Exception as error:  # adapters raise what they like
        raise OutputError(f"cannot write {target}: {_first_line(error)}") from error
    finally:
        with suppress(OSError):
            new.unlink(missing_ok=True)


def _depth(text: bytes) -> int:
    """Depth of nesting of JSON text. OpenTimelineIO's reader crashes where it is too deep."""
    depth = deepest = 0
    for match in _BRACKET.finditer(_STRING.sub(b"", text)):
        depth += 1 if match[0] in (b"[", b"{") else -1
        deepest = max(deepest, depth)
    return deepest


def _unknown_kind(path: Path) -> str:
    known = ", ".join(f".{suffix}" for suffix in sorted(otio.adapters.suffixes_with_defined_adapters()))
    return (
        f"{path.name} is of a kind that OpenTimelineIO does not know here: it knows {known}; "
        "pip install OpenTimelineIO-Plugins adds EDL, AAF and others"
    )


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
