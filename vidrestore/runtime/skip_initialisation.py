"""Creates networks without random weights, for weights that are read from a file afterwards."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


class SkipInitialisation(TorchFunctionMode):
    """In this block, modules are created with uninitialised weights instead of random ones.

    Random initialisation takes longer than reading the weights from a file, and changes the random state of
    the host program. torch's meta device would avoid it as well, but takes a second to import.
    """

    _DRAWS = (
        nn.init.kaiming_uniform_, nn.init.kaiming_normal_, nn.init.xavier_uniform_, nn.init.xavier_normal_,
        nn.init.uniform_, nn.init.normal_, Tensor.uniform_, Tensor.normal_,
    )  # fmt: skip

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        named = kwargs or {}
        if func in self._DRAWS:
            return args[0] if args else named["tensor"]
        return (torch.empty if func is torch.randn else func)(*args, **named)
