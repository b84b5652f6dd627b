"""Seconds that compare: the alternatives take turns, in processes of their own where that matters."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping


def interleaved(runs: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each run in each round, after a warm-up round. Other load affects all runs alike."""
    for run in runs.values():
        run()
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            began = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - began)
    return seconds


def fresh_process(module: str, *arguments: str, as_delivered: bool = False) -> list[float]:
    """The seconds that a module prints as JSON when it is run by itself.

    `as_delivered`: PyTorch's threads wait as they do without any setting of this project.
    """
    command = [sys.executable, "-m", module, *arguments]
    environment = {k: v for k, v in os.environ.items() if not (as_delivered and k == "GOMP_SPINCOUNT")}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment)
    return json.loads(done.stdout)
