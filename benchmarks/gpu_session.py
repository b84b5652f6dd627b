"""All that there is to do on a GPU machine, in one go and within a limit of time.

    python -m benchmarks.gpu_session [--seconds 480] [--out FOLDER]

It notes the machine, runs the tests marked gpu, then `benchmarks.gpu_parts` (upsampling, cutting out faces,
launching), `benchmarks gpu --quick` and `benchmarks gpu`. Each step has a limit, and its output is a file, so
that a run that ends early leaves what it has. The exit code is that of the tests.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[1]
MACHINE = ["nvidia-smi"]
TESTS = [sys.executable, "-m", "pytest", "-m", "gpu", "-q", "--durations=10", "tests/gpu"]
PARTS = [sys.executable, "-m", "benchmarks.gpu_parts", "--device", "cuda", "--out"]
QUICK = [sys.executable, "-m", "benchmarks", "gpu", "--quick", "--out"]
FULL = [sys.executable, "-m", "benchmarks", "gpu", "--out"]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=480, help="limit for all steps together")
    parser.add_argument("--out", type=Path, default=Path("gpu-session"))
    arguments = parser.parse_args()
    out: Path = arguments.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + arguments.seconds
    codes: dict[str, int | None] = {}
    for name, command, share in (
        ("machine", MACHINE, 0.05),
        ("tests", TESTS, 0.4),
        ("parts", [*PARTS, str(out / "parts")], 0.25),
        ("quick", [*QUICK, str(out / "quick")], 0.6),
        ("full", [*FULL, str(out / "full")], 1.0),
    ):
        limit = share * (end - time.monotonic())
        codes[name] = run(command, out / f"{name}.log", limit)
        (out / "session.json").write_text(json.dumps(codes) + "\n", encoding="utf-8")
        print(name, "ended with", codes[name], flush=True)
    return codes["tests"] or 0


def run(command: Sequence[str], log: Path, seconds: float) -> int | None:
    """The exit code of a command whose output goes into a file; None: it was missing or took too long.

    Args:
        command: The command and its arguments.
        log: The file.
        seconds: When it is stopped.
    """
    with log.open("w", encoding="utf-8") as file:
        try:
            return _wait(command, file, max(seconds, 1.0))
        except (OSError, subprocess.TimeoutExpired) as error:
            file.write(f"\n{error}\n")
            return None


def _wait(command: Sequence[str], file: IO[Any], seconds: float) -> int:
    done = subprocess.run(
        command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=seconds,
        check=False,
    )  # fmt: skip
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
