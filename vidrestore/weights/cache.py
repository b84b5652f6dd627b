"""Downloaded weights: stored in the user's cache folder and checked at every load.

A download is checked first and then gets its name in one step, so every file in the cache is complete. Its
checksum is stored in a second file, in the format of `sha256sum --check`. If the catalogue has no checksum,
the first download sets it (trust on first use), and every later load must match it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from vidrestore.errors import DownloadError, WeightsError
from vidrestore.runtime.file_kinds import expand_home, is_own_kind, leads_to_file
from vidrestore.runtime.marked_folder import temporary_name
from vidrestore.weights.catalogue import CATALOGUE, Embedded, Entry, HubFile, Url, find_entry
from vidrestore.weights.download import DownloadCallback, Limits, download
from vidrestore.weights.embedded import embedded_path

_MAX_BYTES = 8 * 2**30
"""Limit for a file of weights of unknown size."""
_MAX_CHECKSUM_CHARACTERS = 4096
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PullResult:
    """Weights that are on this computer."""

    path: Path
    sha256: str | None
    """None: embedded weights, which the installer has checked."""
    downloaded: bool
    """False: they were in the cache before."""
    trusted: bool
    """Whether the checksum was unknown before and was stored now."""


def cache_folder() -> Path:
    """VIDRESTORE_CACHE, or XDG_CACHE_HOME/vidrestore, or ~/.cache/vidrestore. It may not exist yet."""
    if override := os.environ.get("VIDRESTORE_CACHE"):
        return expand_home(override)
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else expand_home("~/.cache")) / "vidrestore"


def local_path(entry: Entry) -> Path | None:
    """The path of the weights, without a check of their content; None: they are not on this computer."""
    if isinstance(entry.source, Embedded):
        try:
            return embedded_path(entry.file_name)
        except WeightsError:
            return None
    path = _cache_path(entry)
    return path if path.is_file() else None


def weights_path(name: str) -> Path:
    """The path of the weights with this name in the catalogue. Their checksum is checked.

    Nothing is downloaded.

    Raises:
        WeightsError: They are not on this computer, or are damaged.
    """
    entry = find_entry(name)
    if isinstance(entry.source, Embedded):
        return embedded_path(entry.file_name)
    path = _cache_path(entry)
    if not path.is_file():
        raise WeightsError(f"the weights '{name}' are not downloaded yet; run: vidrestore models pull {name}")
    expected = _expected_sha256(entry)
    if expected is None:
        with suppress(OSError):  # the folder may not be writable
            _record(path, _hash(path))  # the user put it here: store its checksum
    elif _hash(path) != expected:
        raise WeightsError(
            f"{path} is damaged: its checksum is wrong; delete it and run: vidrestore models pull {name}"
        )
    return path


def model_path(model: str) -> Path:
    """The path of the weights for `--model`, which is a name in the catalogue or a path.

    Raises:
        WeightsError: There are no such weights.
    """
    if any(model == entry.name for entry in CATALOGUE):
        return weights_path(model)
    path = expand_home(model)
    if not leads_to_file(path):
        raise WeightsError(f"there are no weights at {model}; --model is compact, daefr or a path to a file")
    return path


def detector_path(detector: str) -> Path | None:
    """The path of the weights for `--detector`; None: it uses embedded weights only.

    Raises:
        WeightsError: There is no such file.
    """
    kind, separator, name = detector.partition("=")
    if separator:
        path = expand_home(name)
        if not leads_to_file(path):
            raise WeightsError(f"there are no weights at {name}")
        return path
    entry = next((entry for entry in CATALOGUE if entry.name == kind), None)
    return None if entry is None or isinstance(entry.source, Embedded) else weights_path(kind)


def pull(entry: Entry, on_progress: DownloadCallback | None = None) -> PullResult:
    """The weights, which are downloaded if they are missing or damaged.

    Args:
        entry: The weights.
        on_progress: Called with the bytes so far and in total.

    Raises:
        DownloadError: They cannot be downloaded, or their checksum is wrong. Nothing is left in the cache.
    """
    if isinstance(entry.source, Embedded):
        return PullResult(path=embedded_path(entry.file_name), sha256=None, downloaded=False, trusted=False)
    target = _cache_path(entry)
    expected = _expected_sha256(entry)
    if target.is_file():
        present = _hash(target)
        if expected is None:
            _record(target, present)
        if expected in (None, present):
            return PullResult(path=target, sha256=present, downloaded=False, trusted=expected is None)
    with _user_errors(entry), _workspace(target.parent) as workspace:
        fetched = workspace / entry.file_name
        stated = _fetch(entry, fetched, on_progress)
        actual = _hash(fetched)
        _check(entry, actual, entry.sha256 or stated)
        _record(target, actual)
        fetched.replace(target)
    return PullResult(path=target, sha256=actual, downloaded=True, trusted=entry.sha256 is None)


def _cache_path(entry: Entry) -> Path:
    return cache_folder() / entry.name / entry.file_name


def _checksum_file(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _record(path: Path, sha256: str) -> None:
    file = _checksum_file(path)
    new = file.with_name(temporary_name(".", file.name, file.parent))
    try:
        new.write_text(f"{sha256}  {path.name}\n", encoding="utf-8")
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)


def _expected_sha256(entry: Entry) -> str | None:
    """The checksum in the catalogue, or the one stored at the first download."""
    if entry.sha256 is not None:
        return entry.sha256
    path = _checksum_file(_cache_path(entry))
    if is_own_kind(path, "missing"):
        return None
    try:
        with path.open(encoding="utf-8") as file:
            words = file.read(_MAX_CHECKSUM_CHARACTERS).split()
    except (OSError, UnicodeDecodeError):
        words = []
    if not words or not _SHA256.fullmatch(words[0]):
        # Without this error, any weights would be trusted.
        raise WeightsError(
            f"the checksum in {path} cannot be read; delete it and its weights, and run: "
            f"vidrestore models pull {entry.name}"
        )
    return words[0]


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _workspace(folder: Path) -> Iterator[Path]:
    """A temporary folder on the same disk as the target, so that a file can be renamed in one step."""
    folder.mkdir(parents=True, exist_ok=True)
    workspace = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder))
    try:
        yield workspace
    finally:
        shutil.rmtree(workspace, ignore_errors=True)
        with suppress(OSError):  # the folder has weights in it
            folder.rmdir()


@contextmanager
def _user_errors(entry: Entry) -> Iterator[None]:
    """Turns errors of the network and of the disk into one sentence for the user."""
    try:
        yield
    except (OSError, HTTPException) as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DownloadError(
                f"the disk of {cache_folder()} is full; free some space for '{entry.name}' or set "
                "VIDRESTORE_CACHE to another folder"
            ) from error
        if isinstance(error, PermissionError):
            raise DownloadError(
                f"no permission to write to {cache_folder()}; set VIDRESTORE_CACHE to another folder"
            ) from error
        raise DownloadError(_unreachable(entry, error)) from error


def _unreachable(entry: Entry, error: Exception) -> str:
    reason = " ".join(str(error).split()).removeprefix("<urlopen error ").removesuffix(">")
    reason = reason or type(error).__name__
    return (
        f"cannot fetch '{entry.name}' from {entry.source}: {reason[:200].rstrip('.')}; "
        f"check the network, or put the file at {_cache_path(entry)}"
    )


def _check(entry: Entry, actual: str, expected: str | None) -> None:
    if expected is not None and actual != expected:
        raise DownloadError(
            f"the file from {entry.source} is not '{entry.name}': its SHA-256 is {actual[:12]}… and not "
            f"{expected[:12]}…; it was removed, try again later"
        )


def _fetch(entry: Entry, target: Path, on_progress: DownloadCallback | None) -> str | None:
    """Writes the weights to `target` and returns the checksum that the host states, or None."""
    assert not isinstance(entry.source, Embedded)
    if isinstance(entry.source, Url):
        address, size, stated = entry.source.address, entry.size, None
    else:
        address, size, stated = _ask_hub(entry.source)
        if entry.size is not None and size not in (None, entry.size):
            raise OSError(f"the host offers {size} bytes instead of {entry.size}")
    limits = Limits(size=entry.size or size, max_bytes=_MAX_BYTES)
    download(address, target, limits, on_progress)
    return stated


def _ask_hub(source: HubFile) -> tuple[str, int | None, str | None]:
    """The address of the file on the hub, its size, and its checksum (the entity tag of LFS files)."""
    import huggingface_hub

    address = huggingface_hub.hf_hub_url(source.repository, source.file, endpoint=source.endpoint)
    try:
        metadata = huggingface_hub.get_hf_file_metadata(address, endpoint=source.endpoint)
    except OSError:
        raise
    except Exception as error:
        # The error classes depend on the version of huggingface_hub: requests, httpx, xet.
        raise OSError(str(error) or type(error).__name__) from error
    stated = metadata.etag or ""
    return metadata.location, metadata.size, stated if _SHA256.fullmatch(stated) else None
