"""`python -m tests.fuzz [--cases N] [--seed N] [--only NAME]`: many cases, and how they ended."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from tests.fuzz.runner import fuzz, running_child
from tests.fuzz.subjects import SUBJECTS


def main() -> int:
    """The number of failures, at most 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=50, help="of each subject")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", help="names of subjects")
    options = parser.parse_args()
    failures: list[str] = []
    print(f"{'subject':<16}{'files':>6}{'seconds':>9}{'peak MB':>9}  by exit code")
    with running_child() as child:
        for subject in SUBJECTS:
            if options.only and subject.name not in options.only:
                continue
            began = time.monotonic()
            with tempfile.TemporaryDirectory() as folder:
                outcome = fuzz(subject, Path(folder), cases=options.cases, seed=options.seed, child=child)
            codes = ", ".join(f"{code}: {count}" for code, count in sorted(outcome.codes.items()))
            seconds = time.monotonic() - began
            print(
                f"{subject.name:<16}{outcome.files:>6}{seconds:>9.1f}"
                f"{outcome.peak_bytes / 1e6:>9.0f}  {codes}",
                flush=True,
            )
            failures += outcome.failures
            for failure in outcome.failures:
                print(f"  {failure}", flush=True)
    print(f"{len(failures)} failures")
    return min(len(failures), 1)


if __name__ == "__main__":
    raise SystemExit(main())
