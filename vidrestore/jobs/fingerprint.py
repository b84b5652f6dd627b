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
_FREE = {"overwrite", "restart", "workers", "engine", "strict"}
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


def pinned(settings: Settings) -> Settings:
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
        "settings": to_json(settings),
    }


def refuse_changed(begun: dict[str, str], now: dict[str, str], output: Path) -> None:
    """Raises UsageError, in one sentence, where the run that was begun is not this one."""
    why = _difference(begun, now)
    if why is not None:
        raise UsageError(f"{output} was begun {why}; add --restart to begin it anew")


def to_json(settings: Settings) -> str:
    values = settings.model_dump(exclude=_FREE)
    texts = {name: str(v) if isinstance(v, Fraction) else v for name, v in values.items()}
    return json.dumps(texts, sort_keys=True)


def from_json(text: str) -> Settings:
    """The settings of `to_json`; those it leaves out at their defaults."""
    return make_settings(**json.loads(text))


def _difference(begun: dict[str, str], now: dict[str, str]) -> str | None:
    if begun.get("format") != now["format"] or begun.get("version") != now["version"]:
        return f"by vidrestore {begun.get('version', 'of another time')}, and this is {now['version']}"
    if begun["input"] != now["input"]:
        return f"from {begun['input']}, not from {now['input']}"
    if any(begun[f"input {name}"] != now[f"input {name}"] for name in ("size", "changed", "sha256")):
        return f"when {now['input']} was another file: it has changed since"
    settings, other = json.loads(begun["settings"]), json.loads(now["settings"])
    for name in sorted(other):
        if settings.get(name) != other[name]:
            return f"with {name} {_shown(settings.get(name))}, not {_shown(other[name])}"
    if any(begun[name] != now[name] for name in ("model", "detector")):
        return "with other weights"
    return None


def _shown(value: object) -> str:
    return "not given" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
