"""Checks the settings in requests; those that name other files are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vidrestore.errors import UsageError
from vidrestore.jobs.sidecar_check import check_sidecar
from vidrestore.settings import Settings, make_settings
from vidrestore.settings.sidecar import Sidecar, parse_sidecar
from vidrestore.web.file_roots import FileRoots
from vidrestore.web.sidecar_file import read_sidecar

REFUSED = {"model", "detector", "overwrite", "restart", "engine", "workers", "strict", "mask"}
"""Settings that are refused over HTTP: they name files or machines, or replace files."""


def checked_settings(values: dict[str, Any], source: Path, roots: FileRoots) -> dict[str, Any]:
    """The settings as a job stores them. A sidecar is stored with its present content.

    Args:
        values: Names and values of a request.
        source: The video.
        roots: The folders in which photos and sidecars must be.

    Raises:
        UsageError: A setting is not valid, or is not available here.
    """
    for name in values:
        if name in REFUSED or name not in Settings.model_fields:
            raise UsageError(f"the setting {name[:40]!r} is not available here")
    given = dict(values)
    faces = given.get("faces")
    if isinstance(faces, str) and faces.startswith("like:"):
        roots.check_file(faces.removeprefix("like:"))
    if given.get("sidecar") is not None:
        sidecar = _sidecar(given["sidecar"], roots)
        check_sidecar(source, make_settings(**{**given, "sidecar": sidecar}))
        given["sidecar"] = sidecar.model_dump(mode="json", exclude_unset=True)
    make_settings(**given)
    return given


def _sidecar(given: Any, roots: FileRoots) -> Sidecar:
    if isinstance(given, str):
        sidecar = read_sidecar(roots, Path(given)).sidecar
        if sidecar is None:
            raise UsageError(f"there is no sidecar {given}")
        return sidecar
    if not isinstance(given, dict):
        raise UsageError("sidecar must be a path, or the content of a sidecar file")
    return parse_sidecar(given, "the sidecar of the request")
