"""Names and values from YAML: configurations and sidecars."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from vidrestore.errors import UsageError

MAX_BYTES = 256_000


def read_yaml(path: Path) -> dict[Any, Any]:
    """The names and values in a YAML file; an empty file has none.

    Raises:
        UsageError: The file cannot be read, or its content is something else.
    """
    try:
        with path.open("rb") as file:  # the size that a file states may be wrong, and a pipe has none
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise UsageError(f"there is no configuration {path}; check the name and the folder") from error
    except OSError as error:
        raise UsageError(f"cannot read the configuration {path}: {error.strerror or error}") from error
    return parse_yaml(content, path)


def parse_yaml(content: bytes, path: Path) -> dict[Any, Any]:
    """The names and values in the content of a YAML file; empty content has none.

    Args:
        content: The content, or its beginning if it is larger than `MAX_BYTES`.
        path: The file, for messages.

    Raises:
        UsageError: The content is something else.
    """
    if len(content) > MAX_BYTES:
        raise UsageError(f"{path} is not a configuration: it is larger than {MAX_BYTES // 1000} kB")
    try:
        loaded = yaml.safe_load(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise UsageError(f"the configuration {path} is not text in UTF-8") from error
    except RecursionError as error:
        raise UsageError(f"{path} is not a configuration: its values are nested too deeply") from error
    except Exception as error:  # such as a date that no calendar has
        raise UsageError(f"{path} is not valid YAML: {error}".replace("\n", " ")) from error
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise UsageError(f"{path} must contain names and values, such as 'strength: 0.8'")
    return loaded
