"""Installs a host's files. It replaces files that it installed earlier, and no others."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vidrestore.errors import OutputError, UsageError
from vidrestore.integrations.child_command import COMMAND_FILE
from vidrestore.integrations.hosts import HOST_PACKAGE, HOSTS, SOURCES, Host, is_here, place_of
from vidrestore.runtime.file_kinds import absolute, is_own_kind, kind_of
from vidrestore.runtime.marked_folder import temporary_name
from vidrestore.runtime.put_in_place import check_replaceable, put_in_place

MARK = "installed by vidrestore integrations"
"""Text in each installed file; a file that has it may be replaced."""
PYTHON_SLOT, FOLDER_SLOT = "__VIDRESTORE_PYTHON__", "__VIDRESTORE_FOLDER__"
"""Placeholders in the files of hosts: the path of vidrestore's Python, and the host's folder, both written
with forward slashes."""
_COMMENTS = {".py": "#", ".toml": "#", ".rc": "#", ".jsx": "//", ".js": "//"}
_MARK_WITHIN = 2000
"""The mark is within this many bytes of a file's start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledFile:
    """A file of a host: its path and content once it is installed."""

    path: Path
    content: bytes


def find_host(name: str) -> Host:
    """The host of that name.

    Raises:
        UsageError: There is none.
    """
    if name not in HOSTS or not is_here(name):
        known = ", ".join(known for known in HOSTS if is_here(known))
        raise UsageError(f"there are no scripts for '{name}'; there are some for {known}")
    return HOSTS[name]


def folder_of(name: str, to: Path | None = None) -> Path:
    """The folder that the host's files go into.

    Args:
        name: Name of the host, a key of `HOSTS`.
        to: The folder that the user chose; None: the host's own folder on this computer.

    Raises:
        UsageError: There is no such host, it has no files, or it was not found on this computer.
    """
    host = find_host(name)
    if not host.files:
        raise UsageError(f"{host.title}: {host.next_step}")
    folder = place_of(host) if to is None else to
    if folder is None:
        if not host.places:
            raise UsageError(f"{host.title} has no folder for plugins; choose one with --to, such as --to .")
        usual = " or ".join(host.places.get(sys.platform, ()))
        where = f"its folder is usually {usual}" if usual else "it has no usual folder on this system"
        raise UsageError(f"{host.title} was not found on this computer ({where}); say where it is with --to")
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}; create it, or choose another one for --to")
    return absolute(folder)


def files_of(name: str, folder: Path) -> list[InstalledFile]:
    """The files to install for a host into `folder`, in the order in which they are written."""
    host, sources, taken = HOSTS[name], dict[Path, Path](), set[Path]()
    for target, source in host.files.items():
        taken.add(SOURCES / source)
        if (SOURCES / source).is_dir():
            sources |= {
                folder / target / file.relative_to(SOURCES / source): file
                for file in _inside(SOURCES / source)
            }
        else:
            sources[folder / target] = SOURCES / source
    files = []
    if host.package_in is not None:
        package = folder / host.package_in / HOST_PACKAGE
        sources |= {
            package / name / file.relative_to(SOURCES / name): file
            for file in _inside(SOURCES / name)
            if file not in taken and file.suffix == ".py"
        }
        sources[package / "child_command.py"] = SOURCES / "child_command.py"
        files = [_empty_module(package / "__init__.py"), _command(package / COMMAND_FILE)]
    return [*files, *(_filled(path, source, folder) for path, source in sorted(sources.items()))]


def install(name: str, to: Path | None = None) -> list[Path]:
    """Install a host's files, and return their paths.

    Args:
        name: Name of the host, a key of `HOSTS`.
        to: The folder to install into; None: the host's own folder on this computer.

    Raises:
        UsageError: As for `folder_of`, or the folder holds the scripts for another host.
        OutputError: A file exists that vidrestore did not write (then nothing is changed), or a file cannot
            be written.
    """
    folder = folder_of(name, to)
    _check_other_hosts(name, folder)
    files = files_of(name, folder)
    for file in files:
        _check(file)
    for file in files:
        _write(file)
    return [file.path for file in files]


def is_installed(file: InstalledFile) -> bool:
    """Whether the file is installed, in this or another version."""
    return is_own_kind(file.path, "file") and _is_ours(file)


def _inside(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def _empty_module(path: Path) -> InstalledFile:
    return InstalledFile(path=path, content=f"# {MARK}\n".encode())


def _command(path: Path) -> InstalledFile:
    values = {"command": [sys.executable, "-m", "vidrestore"], "written": MARK}
    return InstalledFile(path=path, content=(json.dumps(values, indent=2) + "\n").encode())


def _filled(path: Path, source: Path, folder: Path) -> InstalledFile:
    """The file's content with the mark, and with paths in place of the placeholders."""
    content = source.read_bytes()
    sign = _COMMENTS.get(path.suffix)
    if sign is None:
        return InstalledFile(path=path, content=content)
    text = content.decode("utf-8")
    text = text.replace(PYTHON_SLOT, Path(sys.executable).as_posix()).replace(FOLDER_SLOT, folder.as_posix())
    return InstalledFile(path=path, content=f"{sign} {MARK}; the next install replaces it\n{text}".encode())


def _check_other_hosts(name: str, folder: Path) -> None:
    """Scripts for two hosts have the same names: those of the first would be replaced."""
    if (place := HOSTS[name].package_in) is None:
        return
    for other, host in HOSTS.items():
        if other != name and (folder / place / HOST_PACKAGE / other).is_dir():
            raise UsageError(
                f"{folder / place} holds the scripts for {host.title}; choose another folder with --to"
            )


def _check(file: InstalledFile) -> None:
    try:
        check_replaceable(file.path)
        if kind_of(file.path) == "file" and not _is_ours(file):
            raise OutputError(
                f"{file.path} is there already and is not by vidrestore; it stays as it is, and nothing was "
                "installed: move it away, or choose another folder with --to"
            )
    except OSError as error:
        raise _cannot_write(file.path, error) from error


def _is_ours(file: InstalledFile) -> bool:
    with file.path.open("rb") as found:
        start = found.read(max(_MARK_WITHIN, len(file.content) + 1))
    return MARK.encode() in start[:_MARK_WITHIN] or start == file.content


def _write(file: InstalledFile) -> None:
    new = file.path.with_name(temporary_name(".", file.path.name, file.path.parent))
    try:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        new.write_bytes(file.content)
        put_in_place(new, file.path, overwrite=kind_of(file.path) == "file")
    except OSError as error:
        raise _cannot_write(file.path, error) from error
    finally:
        with suppress(OSError):
            new.unlink(missing_ok=True)


def _cannot_write(path: Path, error: OSError) -> OutputError:
    advice = "; choose another folder with --to" if isinstance(error, PermissionError) else ""
    return OutputError(f"cannot write {path}: {error.strerror or error}{advice}")
