"""Making networks without random weights, for those that are read from a file afterwards."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


class SkipInitialisation(TorchFunctionMode):
    """While the block lasts, modules are made without the random weights that training starts from.

    Drawing them takes longer than reading the right ones, and would change the random numbers of the program
    that uses this one. Until others are put there, weights are whatever the memory held. torch's meta device
    would do the same, after a second of imports.
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
