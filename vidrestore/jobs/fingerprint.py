"""Fingerprints of runs: input, settings, weights and program version, so that a run can be continued."""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from vidrestore import __version__
from vidrestore.errors import InputError, ReadError, UsageError
from vidrestore.runtime.file_kinds import absolute, expand_home, leads_to_file
from vidrestore.settings import Settings, make_settings
from vidrestore.tracking import LIKE
from vidrestore.weights import detector_path, model_path

FORMAT = 3
"""Version of the journal's format."""
FINGERPRINT_NAMES = frozenset(
    [
        "format",
        "version",
        "input",
        "input size",
        "input changed",
        "input sha256",
        "model",
        "detector",
        "settings",
    ]
)
"""The keys of a fingerprint."""
_PIECE = 1 << 20
_NOT_IN_FINGERPRINT = {"overwrite", "restart", "workers", "engine", "strict"}
"""Settings that do not change the result."""
RUN_SETTINGS = "run settings"
"""The journal's name of `run_settings_to_json`."""
_KEPT_FOR_RESUMING = ("strict", "workers", "engine")
"""Those of them with which `resume` continues, beside `overwrite`."""


def identify(path: Path) -> dict[str, str]:
    """Identifies a file by its size, modification time, and a hash of its start, middle and end.

    Raises:
        InputError: The file does not exist, or there is no permission to read it.
        ReadError: The system cannot read it.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{path} is a folder, a device or a pipe; give a regular file")
        digest = hashlib.sha256()
        with path.open("rb") as file:
            for position in (0, max(status.st_size // 2 - _PIECE // 2, 0), max(status.st_size - _PIECE, 0)):
                file.seek(position)
                digest.update(file.read(_PIECE))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError) as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    except OSError as error:
        raise ReadError.of(path, error) from error
    return {"size": str(status.st_size), "changed": str(status.st_mtime_ns), "sha256": digest.hexdigest()}


def with_absolute_paths(settings: Settings) -> Settings:
    """The settings with absolute paths."""
    changes = {}
    if leads_to_file(model := expand_home(settings.model)):
        changes["model"] = str(absolute(model))
    kind, separator, weights = settings.detector.partition("=")
    if separator:
        changes["detector"] = f"{kind}={absolute(expand_home(weights))}"
    if settings.faces.startswith(LIKE):
        changes["faces"] = f"{LIKE}{absolute(expand_home(settings.faces.removeprefix(LIKE)))}"
    return settings.model_copy(update=changes)


def fingerprint(source: Path, settings: Settings) -> dict[str, str]:
    """Everything that the result depends on, as text by name.

    Raises:
        InputError, ReadError: The input cannot be read.
        WeightsError: The weights cannot be read.
    """
    detector = detector_path(settings.detector)
    return {
        "format": str(FORMAT),
        "version": __version__,
        "input": str(source),
        **{f"input {name}": value for name, value in identify(source).items()},
        "model": identify(model_path(settings.model))["sha256"],
        "detector": "" if detector is None else identify(detector)["sha256"],
        "settings": settings_to_json(settings),
    }


def check_same_job(recorded: dict[str, str], current: dict[str, str], output: Path) -> None:
    """Raises UsageError if the recorded run differs from the current one; the sentence says in what.

    Args:
        recorded: The fingerprint in the journal.
        current: The fingerprint of this run.
        output: The output, for the message.
    """
    why = _difference(recorded, current)
    if why is not None:
        raise UsageError(f"{output} was started {why}; add --restart to start from the beginning")


def settings_to_json(settings: Settings) -> str:
    """The settings that the result depends on, as JSON."""
    values = settings.model_dump(exclude=_NOT_IN_FINGERPRINT)
    if settings.sidecar is not None:
        values["sidecar"] = settings.sidecar.model_dump(mode="json")
    texts = {name: str(v) if isinstance(v, Fraction) else v for name, v in values.items()}
    return json.dumps(texts, sort_keys=True)


def run_settings_to_json(settings: Settings) -> str:
    """The settings that `resume` uses again although the result does not depend on them, as JSON."""
    return json.dumps({name: getattr(settings, name) for name in _KEPT_FOR_RESUMING})


def recorded_run_settings(about: Mapping[str, str]) -> dict[str, Any]:
    """These settings of a journalled run, by name; none in journals of earlier versions.

    Args:
        about: What the journal notes about its run.
    """
    values: dict[str, Any] = json.loads(about.get(RUN_SETTINGS, "{}"))
    return values


def settings_from_json(text: str, **changes: Any) -> Settings:
    """The inverse of `settings_to_json`, with `changes`; settings that it leaves out have their defaults.

    Raises:
        UsageError: A change is not a valid setting.
    """
    return make_settings(**{**json.loads(text), **changes})


def _difference(recorded: dict[str, str], current: dict[str, str]) -> str | None:
    if recorded["version"] != current["version"]:
        return f"by vidrestore {recorded['version']}, and this is {current['version']}"
    if recorded["format"] != current["format"]:
        return f"by a vidrestore {recorded['version']} whose journal has another format"
    if recorded["input"] != current["input"]:
        return f"from {recorded['input']}, not from {current['input']}"
    if any(recorded[f"input {name}"] != current[f"input {name}"] for name in ("size", "changed", "sha256")):
        return f"when {current['input']} was another file, which has changed since"
    settings, other = json.loads(recorded["settings"]), json.loads(current["settings"])
    for name in sorted(other):
        if settings.get(name) != other[name] and name == "sidecar":
            return "with another sidecar, or the sidecar has changed since"
        if settings.get(name) != other[name]:
            return f"with {name} {_format_value(settings.get(name))}, not {_format_value(other[name])}"
    if any(recorded[name] != current[name] for name in ("model", "detector")):
        return "with other weights"
    return None


def _format_value(value: object) -> str:
    return "not given" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
