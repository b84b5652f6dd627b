"""The state of a run, from which it continues exactly: written whole, and refused in a sentence."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch

from vidrestore.errors import WeightsError


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write tensors, numbers and tables of them; until all is written, the file before stays."""
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


def load_state(path: Path, names: tuple[str, ...]) -> dict[str, Any]:
    """What `save_state` wrote, on the CPU.

    Args:
        path: the file.
        names: what it must hold.

    Raises:
        WeightsError: it is damaged, or of another kind.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, pickle.UnpicklingError, RuntimeError, EOFError, ValueError, LookupError) as error:
        reason = str(error).strip().split("\n", 1)[0]
        raise WeightsError(f"{path} cannot be read as the state of a run: {reason}; {_ADVICE}") from error
    if not isinstance(state, dict) or not state.keys() >= set(names):
        raise WeightsError(f"{path} is not the state of such a run; {_ADVICE}")
    return state


def does_not_fit(path: Path, error: Exception) -> WeightsError:
    """The error to raise where a network or an optimizer refuses its part of the state at `path`."""
    reason = str(error).strip().split("\n")[-1].strip()
    return WeightsError(f"{path} is the state of another network: {reason}; {_ADVICE}")


_ADVICE = "choose another output to begin a new run"
