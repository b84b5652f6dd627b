"""Whether a run is the one that was begun: its input, its settings, its weights and the program's version."""

from __future__ import annotations

import hashlib
import json
from fractions import Fraction
from pathlib import Path

from vidrestore import __version__
from vidrestore.errors import InputError, ReadError, UsageError
from vidrestore.settings import Settings, make_settings
from vidrestore.weights import model_path

FORMAT = 1
"""Of the journal."""
_PIECE = 1 << 20
_NOT_IN_FINGERPRINT = {"overwrite", "restart", "workers", "engine", "strict"}
"""Settings that the result does not depend on, or that only decide whether there is one."""


def identify(path: Path) -> dict[str, str]:
    """What tells a file from another: size, time of change, a hash of its beginning, middle and end.

    Raises InputError where it is not there or may not be read, ReadError where it cannot be read.
    """
    try:
        stat = path.stat()
        digest = hashlib.sha256()
        with path.open("rb") as file:
            for position in (0, max(stat.st_size // 2 - _PIECE // 2, 0), max(stat.st_size - _PIECE, 0)):
                file.seek(position)
                digest.update(file.read(_PIECE))
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    except OSError as error:
        raise ReadError.of(path, error) from error
    return {"size": str(stat.st_size), "changed": str(stat.st_mtime_ns), "sha256": digest.hexdigest()}


def with_absolute_paths(settings: Settings) -> Settings:
    """The settings with paths that mean the same from any folder."""
    changes = {}
    if (model := Path(settings.model).expanduser()).is_file():
        changes["model"] = str(model.absolute())
    kind, separator, weights = settings.detector.partition("=")
    if separator:
        changes["detector"] = f"{kind}={Path(weights).expanduser().absolute()}"
    return settings.model_copy(update=changes)


def fingerprint(source: Path, settings: Settings) -> dict[str, str]:
    """All that the result depends on, as names and texts. Raises InputError, ReadError, WeightsError."""
    detector = settings.detector.partition("=")[2]
    return {
        "format": str(FORMAT),
        "version": __version__,
        "input": str(source),
        **{f"input {name}": value for name, value in identify(source).items()},
        "model": identify(model_path(settings.model))["sha256"],
        "detector": identify(Path(detector))["sha256"] if detector else "",
        "settings": settings_to_json(settings),
    }


def check_same_job(recorded: dict[str, str], current: dict[str, str], output: Path) -> None:
    """Raises UsageError, in one sentence, where the run that was begun is not this one."""
    why = _difference(recorded, current)
    if why is not None:
        raise UsageError(f"{output} was begun {why}; add --restart to begin it anew")


def settings_to_json(settings: Settings) -> str:
    values = settings.model_dump(exclude=_NOT_IN_FINGERPRINT)
    texts = {name: str(v) if isinstance(v, Fraction) else v for name, v in values.items()}
    return json.dumps(texts, sort_keys=True)


def settings_from_json(text: str) -> Settings:
    """The settings of `settings_to_json`; those it leaves out at their defaults."""
    return make_settings(**json.loads(text))


def _difference(recorded: dict[str, str], current: dict[str, str]) -> str | None:
    if recorded.get("format") != current["format"] or recorded.get("version") != current["version"]:
        return f"by vidrestore {recorded.get('version', 'of another time')}, and this is {current['version']}"
    if recorded["input"] != current["input"]:
        return f"from {recorded['input']}, not from {current['input']}"
    if any(recorded[f"input {name}"] != current[f"input {name}"] for name in ("size", "changed", "sha256")):
        return f"when {current['input']} was another file: it has changed since"
    settings, other = json.loads(recorded["settings"]), json.loads(current["settings"])
    for name in sorted(other):
        if settings.get(name) != other[name]:
            return f"with {name} {_format_value(settings.get(name))}, not {_format_value(other[name])}"
    if any(recorded[name] != current[name] for name in ("model", "detector")):
        return "with other weights"
    return None


def _format_value(value: object) -> str:
    return "not given" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
