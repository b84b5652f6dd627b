"""Signals that whoever started the tests has ignored, as shells do for commands in the background."""

from __future__ import annotations

import signal

import pytest


def skip_where_ignored(*names: str) -> None:
    """Skip the test where one of the signals is ignored: children inherit that."""
    ignored = [name for name in names if signal.getsignal(getattr(signal, name)) == signal.SIG_IGN]
    if ignored:
        pytest.skip(f"{', '.join(ignored)} is ignored in this process, and so in its children")
