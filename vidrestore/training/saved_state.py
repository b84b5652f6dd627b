"""The saved state of a training run, from which it resumes exactly."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch

from vidrestore.errors import WeightsError
from vidrestore.runtime.replaced_file import replaced_file


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Writes tensors, numbers and dictionaries of them. The old file is replaced when all is written."""
    with replaced_file(path) as partial:
        torch.save(state, partial)


def load_state(path: Path, names: tuple[str, ...]) -> dict[str, Any]:
    """The state that `save_state` wrote, with tensors on the CPU.

    Args:
        path: The file.
        names: The names that it must have.

    Raises:
        WeightsError: The file is damaged, or of another kind.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, pickle.UnpicklingError, RuntimeError, EOFError, ValueError, LookupError) as error:
        reason = str(error).strip().split("\n", 1)[0]
        raise WeightsError(
            f"{path} cannot be read as the state of a training run: {reason}; {_ADVICE}"
        ) from error
    if not isinstance(state, dict) or not state.keys() >= set(names):
        raise WeightsError(f"{path} is not the state of a training run of this kind; {_ADVICE}")
    return state


def does_not_fit(path: Path, error: Exception) -> WeightsError:
    """The error for a state at `path` that does not fit the network or the optimizer."""
    reason = str(error).strip().split("\n")[-1].strip()
    return WeightsError(f"{path} is the state of another network: {reason}; {_ADVICE}")


_ADVICE = "choose another output to start a new run"
