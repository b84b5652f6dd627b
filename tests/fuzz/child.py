"""The process that runs cases: command lines in, what each came to out, a line of JSON each.

It may crash, hang or fill the memory: its parent (`runner.py`) sees to it.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import time
import traceback
from pathlib import Path

from tests.fuzz.subjects import JOIN
from vidrestore.cli import main
from vidrestore.errors import VidrestoreError


def serve() -> None:
    """Until standard input ends."""
    replies = os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):  # what libraries print
        os.dup2(nowhere, descriptor)
    for line in sys.stdin:
        case = json.loads(line)
        os.chdir(case["folder"])
        replies.write(json.dumps(_run(case["words"])) + "\n")
        replies.flush()


def _run(words: list[str]) -> dict[str, object]:
    _forget_peak()
    out, err = io.StringIO(), io.StringIO()
    began = time.process_time()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = _join(*words[1:]) if words[0] == JOIN else main(words)
    return {
        "code": code,
        "err": err.getvalue(),
        "out": out.getvalue(),
        "cpu_seconds": time.process_time() - began,
        "peak_bytes": _peak(),
    }


def _join(source: str, part: str, output: str) -> int:
    """As the end of a run in segments; what it raises as the command line says it."""
    from vidrestore.video import VideoWriter, join_segments, open_input, probe

    try:
        original = open_input(Path(source))
        with VideoWriter(Path(output), probe(original), source=original, codec="ffv1") as writer:
            join_segments(writer, [Path(part)])
    except VidrestoreError as error:
        print(f"vidrestore: error: {error}", file=sys.stderr)
        return error.exit_code
    except Exception:
        traceback.print_exc()
        return 1
    return 0


def _forget_peak() -> None:
    """From now on the peak is that of the next case, on Linux."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    if sys.platform == "win32":
        return 0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    serve()
