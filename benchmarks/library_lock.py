"""What the filelock package would change for the lock on temporary folders.

    python -m benchmarks.library_lock [--rounds N]

Prints, as JSON, for our lock (`vidrestore.runtime.marked_folder`) and for filelock:

    marker_bytes     size of the folder's marker file after another process has tried to lock it
    files            files that the folder holds while it is in use
    freed_by_kill    whether the lock is free after the process that held it was killed
    microseconds     one lock and unlock, the least of several rounds
    import_seconds   CPU time of the import in a fresh process, the least of several rounds
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from vidrestore.runtime.marked_folder import MARK, is_marked

_CYCLES = 2000
_HOLD = {
    "ours": (
        "from vidrestore.runtime.marked_folder import MarkedFolder\n"
        "from pathlib import Path; f = MarkedFolder(Path(sys.argv[1]), lambda n: True); f.create()"
    ),
    "filelock": (
        "from filelock import FileLock\n"
        "from pathlib import Path; from vidrestore.runtime.marked_folder import MARK, MarkedFolder\n"
        "folder = Path(sys.argv[1]); f = MarkedFolder(folder, lambda n: True); f.create(); f.close()\n"
        "lock = FileLock(folder / MARK); lock.acquire()"
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    result: dict[str, dict[str, Any]] = {}
    for name, try_lock in (("ours", _try_flock), ("filelock", _try_filelock)):
        with tempfile.TemporaryDirectory() as parent:
            result[name] = _measure(name, Path(parent), try_lock, rounds)
    print(json.dumps(result, indent=1))


def _measure(name: str, parent: Path, try_lock: Callable[[Path], bool], rounds: int) -> dict[str, Any]:
    folder = parent / "folder"
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import sys, time\n{_HOLD[name]}\nprint('ready', flush=True); time.sleep(60)",
            folder,
        ],
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert not try_lock(folder / MARK), "the lock of another process was taken"
        files = sorted(path.name for path in folder.iterdir())
        size, marked = (folder / MARK).stat().st_size, is_marked(folder)
        holder.kill()
    cycle_seconds = min(_cycle_seconds(parent / "timed", try_lock) for _ in range(rounds))
    return {
        "marker_bytes": size,
        "is_still_marked": marked,
        "files": files,
        "freed_by_kill": try_lock(folder / MARK),
        "microseconds": round(cycle_seconds * 1e6, 1),
        "import_seconds": round(min(_import_seconds(name) for _ in range(rounds)), 4),
    }


def _cycle_seconds(path: Path, try_lock: Callable[[Path], bool]) -> float:
    path.touch()
    began = time.process_time()
    for _ in range(_CYCLES):
        try_lock(path)
    return (time.process_time() - began) / _CYCLES


def _try_flock(path: Path) -> bool:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _try_filelock(path: Path) -> bool:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    lock.release()
    return True


def _import_seconds(name: str) -> float:
    module = "filelock" if name == "filelock" else "fcntl"
    program = f"import time; t = time.process_time(); import {module}; print(time.process_time() - t)"
    return float(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True).stdout)


if __name__ == "__main__":
    main()
