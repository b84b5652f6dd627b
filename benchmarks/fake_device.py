"""Modules on a device that is not there, by PyTorch's fake tensors."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn


def replace_parameters(
    module: nn.Module, function: Callable[[Tensor], Tensor], recurse: bool = True
) -> nn.Module:
    """In place of `nn.Module._apply`: fake parameters cannot be modified in place twice."""
    for part in module.modules():
        for name, parameter in part._parameters.items():
            if parameter is not None:
                part._parameters[name] = nn.Parameter(function(parameter), requires_grad=False)
        for name, buffer in part._buffers.items():
            part._buffers[name] = function(buffer) if buffer is not None else None
    return module
