"""Modules on a device that is not there, by PyTorch's fake tensors."""

from __future__ import annotations

from benchmarks.fake_device import replace_parameters

__all__ = ["replace_parameters"]
