"""Reads weights from untrusted files: never runs their code, and explains in one sentence what is wrong.

Weights must be finite floating-point numbers in exactly the network's shapes.
"""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from vidrestore.errors import WeightsError
from vidrestore.runtime.file_kinds import leads_to_file

Shapes = Mapping[str, tuple[int, ...]]
_FLOATS = frozenset({torch.float16, torch.bfloat16, torch.float32, torch.float64})
_FLOAT_NAMES = frozenset({"F16", "BF16", "F32", "F64"})
"""The names of these types in safetensors files."""
_COUNTER = "num_batches_tracked"
"""A counter of batch normalisation: an integer that inference does not use."""
_SPARE_BYTES = 1 << 20


class SafetensorsFile:
    """An open safetensors file: its header, and its tensors after a check."""

    def __init__(self, file: Any, path: Path) -> None:
        self.header: dict[str, str] = dict(file.metadata() or {})
        self._file, self._path = file, path
        self._parts = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 (not a dict)

    def tensors(self, wanted: Shapes) -> dict[str, Tensor]:
        """The tensors in float32.

        Args:
            wanted: The shapes by name that the file must have, no more and no fewer.

        Returns:
            The tensors by name.

        Raises:
            WeightsError: Names or shapes differ, or values are not finite floating-point numbers.
        """
        shapes = {name: tuple(part.get_shape()) for name, part in self._parts.items()}
        check_shapes(shapes, wanted, self._path)
        for name, part in self._parts.items():
            if (kind := part.get_dtype()) not in _FLOAT_NAMES and not name.endswith(_COUNTER):
                raise WeightsError(f"{self._path} holds {kind} in {name}, not floating-point numbers")
        return finite({name: self._file.get_tensor(name) for name in self._parts}, self._path)


@contextmanager
def open_safetensors(path: Path) -> Iterator[SafetensorsFile]:
    """The file, open in this block.

    Raises:
        WeightsError: There is no such file, it is damaged, or it is another kind of file; also for any
            error inside the block.
    """
    _check_file(path)
    try:
        with safe_open(path, framework="pt") as file:
            yield SafetensorsFile(file, path)
    except WeightsError:
        raise
    except Exception as error:  # a damaged file may cause any exception
        raise WeightsError(f"{path} cannot be read as weights: {_first_line(error)}") from error


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """The state dict of a PyTorch or Lightning checkpoint; code in the file is not run.

    Raises:
        WeightsError: There is no such file, it is damaged, or it is another kind of file.
    """
    _check_file(path)
    try:
        _refuse_bomb(path)
        with torch.serialization.safe_globals(_stubs(path)):
            loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
        state = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else None
    except LookupError as error:  # the unpickler's error for other kinds of files, such as a text
        raise WeightsError(f"{path} cannot be read as a checkpoint: it is a file of another kind") from error
    except WeightsError:
        raise
    except pickle.UnpicklingError as error:
        # PyTorch's own message advises to run what is in the file.
        raise WeightsError(
            f"{path} cannot be read as a checkpoint: it is damaged, or holds other things than tensors"
        ) from error
    except Exception as error:  # a damaged file may cause any exception
        raise WeightsError(f"{path} cannot be read as a checkpoint: {_first_line(error)}") from error
    if not isinstance(state, dict) or not state:
        raise WeightsError(f"{path} is not a checkpoint: it holds no table of named tensors")
    if not all(isinstance(name, str) and _is_plain(tensor) for name, tensor in state.items()):
        raise WeightsError(f"{path} is not a checkpoint: it holds no table of named tensors")
    return dict(state)


def check_shapes(shapes: Shapes, wanted: Shapes, path: Path) -> None:
    """Raises WeightsError, which names the first difference, unless names and shapes are those wanted.

    Args:
        shapes: The shapes in the file, by name.
        wanted: The shapes of the network.
        path: The file, for the message.
    """
    missing = [name for name in wanted if name not in shapes]
    extra = [name for name in shapes if name not in wanted]
    if missing or extra:
        problem = f"lacks {_list(missing)}" if missing else f"has unexpected tensors: {_list(extra)}"
        raise WeightsError(f"{path} does not fit the network: it {problem}")
    for name, shape in shapes.items():
        if shape != wanted[name]:
            raise WeightsError(f"{path} does not fit the network: {name} is {shape}, not {wanted[name]}")


def shapes_of(state: Mapping[str, Tensor]) -> Shapes:
    """The shapes of the tensors."""
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def finite(state: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """Copies of the tensors in float32: the originals may be views of a file that changes later.

    Raises:
        WeightsError: Values are not finite floating-point numbers.
    """
    copies = {}
    for name, tensor in state.items():
        if name.endswith(_COUNTER):
            copies[name] = torch.zeros((), dtype=torch.int64)
            continue
        if tensor.dtype not in _FLOATS:
            kind = str(tensor.dtype).removeprefix("torch.")
            raise WeightsError(f"{path} holds {kind} in {name}, not floating-point numbers")
        copy = tensor.detach().to(torch.float32, copy=True)
        if not bool(torch.isfinite(copy).all()):
            raise WeightsError(f"{path} is damaged: {name} holds values that are not finite")
        copies[name] = copy
    return copies


def _check_file(path: Path) -> None:
    if not leads_to_file(path):
        raise WeightsError(f"there are no weights at {path}")


def _is_plain(tensor: object) -> bool:
    """Whether it is a dense tensor in CPU memory."""
    return isinstance(tensor, Tensor) and tensor.layout is torch.strided and tensor.device.type == "cpu"


def _refuse_bomb(path: Path) -> None:
    """Raises WeightsError for a file that grows when unpacked: PyTorch never compresses tensors."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > path.stat().st_size + _SPARE_BYTES:
        raise WeightsError(f"{path} cannot be read as a checkpoint: its content is compressed")


def _stubs(path: Path) -> list[Any]:
    """Empty classes with the names that a Lightning file refers to, so that it loads without their code."""
    try:
        names = torch.serialization.get_unsafe_globals_in_checkpoint(str(path))
    except ValueError:  # not supported for files from before PyTorch 1.6
        return []
    lightning = [name for name in names if name.startswith(("pytorch_lightning.", "lightning."))]
    # A stub may be built from the pickled state but does nothing with it.
    return [
        (type(name.rpartition(".")[2], (), {"__setstate__": lambda *_: None}), name) for name in lightning
    ]


def _list(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n", 1)[0] or type(error).__name__
