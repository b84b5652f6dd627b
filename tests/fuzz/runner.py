"""Cases run one after the other in a child process, and what was wrong with each."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fuzz.mutations import mutate
from tests.fuzz.subjects import Subject
from tests.support.shared import ROOT
from tests.support.user_files import snapshot

EXIT_CODES = (0, 1, 2, 3)
"""As README.md lists them, but for an interrupt, which nobody sends here."""
MAX_BYTES = 2 * 10**9
MAX_CPU_SECONDS = 60.0
MAX_SECONDS = 300.0
"""After which a case hangs; far more than the processor's time, for machines with other work."""
CASES_A_CHILD = 150


@dataclass(slots=True)
class Outcome:
    """What many cases came to."""

    files: int = 0
    cpu_seconds: float = 0.0
    peak_bytes: int = 0
    codes: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def fuzz(subject: Subject, folder: Path, *, cases: int, seed: int, child: Child) -> Outcome:
    """What came of so many mutations of a subject's file, in a `folder` that is empty."""
    work, saved = folder / "work", folder / "saved"
    work.mkdir()
    subject.make(work)
    shutil.copytree(work, saved, symlinks=True)
    target = str(next(work.glob(subject.target)).relative_to(work))
    content = (work / target).read_bytes()
    outcome = Outcome()
    for number in range(-1, cases):  # the first with nothing wrong
        chance = random.Random(f"{subject.name} {seed} {number}")
        shutil.rmtree(work)
        shutil.copytree(saved, work, symlinks=True)
        if number >= 0:
            (work / target).write_bytes(mutate(content, chance))
        words = subject.draw_command(chance, target)
        before = snapshot(work)
        result = child.run(words, work)
        if number < 0:
            if subject.is_valid and result.get("code") != 0:
                outcome.failures.append(f"{subject.name}: {' '.join(words)}, not mutated: {result}")
            continue
        outcome.files += 1
        outcome.cpu_seconds += result.get("cpu_seconds", 0.0)
        outcome.peak_bytes = max(outcome.peak_bytes, result.get("peak_bytes", 0))
        outcome.codes[result.get("code", -1)] += 1
        wrong = [*_wrong_reply(result), *_wrong_files(subject, result, before, snapshot(work))]
        if wrong:
            head = f"{subject.name}, seed {seed}, case {number}: {' '.join(words)}"
            outcome.failures.append(f"{head}: {'; '.join(wrong)}")
    return outcome


def _wrong_reply(result: dict[str, Any]) -> Iterator[str]:
    if "ended" in result:
        yield result["ended"]
        return
    code, err = result["code"], result["err"]
    lines = err.split("\n")[:-1] if err else []
    if code not in EXIT_CODES:
        yield f"exit code {code}"
    if "Traceback" in err or "defect" in err or any(not line.isprintable() for line in lines):
        yield f"it says {err[-600:]!r}"
    errors = [line for line in lines if not line.startswith(("vidrestore: warning: ", "vidrestore: [1/"))]
    if code in (1, 2) and len(errors) > 1:
        yield f"{len(errors)} sentences: {err[-300:]!r}"
    if code in (1, 2) and not lines:
        yield "it says nothing"
    if result["peak_bytes"] > MAX_BYTES:
        yield f"{result['peak_bytes'] / 1e9:.1f} GB of memory"
    if result["cpu_seconds"] > MAX_CPU_SECONDS:
        yield f"{result['cpu_seconds']:.0f} seconds of the processor"


def _wrong_files(
    subject: Subject, result: dict[str, Any], before: dict[str, Any], after: dict[str, Any]
) -> Iterator[str]:
    """Nothing that was there is another, and nothing is there besides the output of a run that succeeded."""

    def may_change(name: str) -> bool:
        return name.split("/")[0] in subject.may_stay

    changed = [name for name, found in before.items() if after.get(name) != found and not may_change(name)]
    if changed:
        yield f"changed: {changed}"
    actual = {name for name in after if name not in before and not may_change(name)}
    succeeded = result.get("code") in (0, 3)
    wanted = {"out.mkv", "out.png", "new.safetensors"} if succeeded else set()
    if actual - wanted:
        yield f"left: {sorted(actual - wanted)}"


class Child:
    """The process in which cases run; another one after one that it did not survive."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._cases = 0

    def run(self, words: list[str], folder: Path) -> dict[str, Any]:
        """What the case came to; `ended` says how the process ended, if it did."""
        process = self._ready()
        assert process.stdin is not None
        assert process.stdout is not None
        timer = threading.Timer(MAX_SECONDS, process.kill)
        timer.start()
        try:
            process.stdin.write(json.dumps({"words": words, "folder": str(folder)}) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = ""
        finally:
            in_time = timer.is_alive()
            timer.cancel()
        self._cases += 1
        if line:
            result: dict[str, Any] = json.loads(line)
            return result
        code = process.wait()
        self._process = None
        return {"ended": f"the process ended with {code}" if in_time else f"no end after {MAX_SECONDS:.0f} s"}

    def close(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait()
            self._process = None

    def _ready(self) -> subprocess.Popen[str]:
        if self._cases >= CASES_A_CHILD:
            self.close()
        if self._process is None:
            self._cases = 0
            environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.fuzz.child"],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        return self._process


@contextmanager
def running_child() -> Iterator[Child]:
    """A child, ended afterwards."""
    child = Child()
    try:
        yield child
    finally:
        child.close()
