"""Helpers of detector training: configuration, prefetching, and the file of weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import ValidationError
from safetensors.torch import save_file
from torch import nn

from vidrestore.errors import UsageError
from vidrestore.runtime.replaced_file import replaced_file
from vidrestore.training.config import Section

C = TypeVar("C", bound=Section)
T = TypeVar("T")


def read_detector_config(kind: type[C], path: Path, overrides: list[str]) -> C:
    """The configuration in a YAML file.

    Args:
        kind: The class of the configuration.
        path: The YAML file.
        overrides: Texts such as `batch=8`, which win over the file.

    Raises:
        UsageError: The file cannot be read, or a value is wrong.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        for override in overrides:
            name, _, text = override.partition("=")
            values[name] = yaml.safe_load(text)
        return kind(**values)
    except (OSError, yaml.YAMLError, TypeError) as error:
        raise UsageError(f"cannot read the configuration {path}: {error}".replace("\n", " ")) from error
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f"{path}: {first['loc'][0]}: {first['msg']}") from error


def prefetch_steps(make: Callable[[int], T], steps: int) -> Iterator[T]:
    """`make(0)` to `make(steps - 1)`; each result is computed while the one before it is used."""
    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(make, 0)
        for step in range(1, steps + 1):
            ready = ahead.result()
            if step < steps:
                ahead = pool.submit(make, step)
            yield ready


def save_float16(network: nn.Module, path: Path) -> Path:
    """Writes the weights as float16 safetensors and returns `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {name: t.half() if t.is_floating_point() else t for name, t in network.state_dict().items()}
    with replaced_file(path) as partial:
        save_file({name: t.contiguous() for name, t in state.items()}, partial)
    return path
