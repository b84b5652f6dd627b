"""How long the networks' threads spin while they wait for each other.

By default GNU OpenMP's threads spin for milliseconds. Where other programs use the cores, a thread spins
until the one it waits for gets a core again, after every layer: a picture then takes ten times as long as
with one thread, and more (measured: docs/performance.md). Without any spinning a small network takes a third
longer on an idle machine, because its threads must be woken.

GNU OpenMP reads its settings once, when torch is loaded, so they have no effect after that.
"""

from __future__ import annotations

import os
import sys

from vidrestore.runtime.environment import default_variable

SPIN_COUNT = 2_000
"""Spins of a waiting thread before it sleeps: some hundredths of a millisecond."""


def limit_openmp_spin() -> None:
    """Makes the networks' threads sleep soon while they wait, here and in processes started later.

    Call it before torch is imported. A value that the user has set is not changed.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", str(SPIN_COUNT))


def import_torch() -> None:
    """Imports torch such that its threads sleep soon while they wait. The environment is the same afterwards.

    Where the caller has imported torch already, or has set how threads wait, it changes nothing.
    """
    if "torch" in sys.modules:
        return
    if "OMP_WAIT_POLICY" in os.environ:
        import torch
    else:
        with default_variable("GOMP_SPINCOUNT", str(SPIN_COUNT)):
            import torch  # noqa: F401
