"""A real Ray cluster of two nodes on this computer, one of which is killed in the middle of the work.

Takes a minute or two, so it runs where VIDRESTORE_TEST_RAY is set.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

from tests.support.films import make_film
from tests.support.jobs import assert_equal, names_in
from tests.support.shared import ROOT

pytestmark = [
    pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed"),
    pytest.mark.skipif(
        not os.environ.get("VIDRESTORE_TEST_RAY"), reason="takes minutes: set VIDRESTORE_TEST_RAY=1"
    ),
    pytest.mark.slow,
]
HOME = "127.0.0.1"
# Ray gives each task one thread; what is compared must be computed alike.
ENVIRONMENT = {
    **os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1",
}  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOME, 0))
        return int(probe.getsockname()[1])


def wait_for(what: Callable[[], object], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


@contextmanager
def node(*words: str) -> Iterator[int]:
    """A node of one CPU: the process id of its raylet. All processes that it started end with the block."""
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--num-cpus=1"]
    command += [f"--node-ip-address={HOME}", "--object-store-memory=100000000", "--num-gpus=0"]
    started = subprocess.Popen(
        [*command, *words], env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    process = psutil.Process(started.pid)

    def raylets() -> list[int]:
        return [p.pid for p in process.children(recursive=True) if p.name() == "raylet"]

    everything: list[psutil.Process] = []
    try:
        wait_for(raylets, 90)
        yield raylets()[0]
    finally:
        with suppress(psutil.NoSuchProcess):
            everything = process.children(recursive=True)
        started.terminate()
        with suppress(subprocess.TimeoutExpired):
            started.wait(20)
        for left in [*everything, process]:
            with suppress(psutil.NoSuchProcess):
                left.kill()
        started.wait()


def restore(source: Path, output: Path, *words: str, environment: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "vidrestore", "restore", str(source), str(output)]
    command += ["--codec", "ffv1", "--device", "cpu", *words]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_a_node_that_is_killed_costs_time_and_nothing_else(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", 150, (range(24, 40), range(56, 72), range(88, 104)))
    whole, parts = tmp_path / "whole.mkv", tmp_path / "parts.mkv"
    alone = restore(source, whole, "--segment", "0", environment=ENVIRONMENT)
    assert alone.wait(300) == 0
    port = free_port()
    with (
        node("--head", f"--port={port}", "--include-dashboard=false"),
        node(f"--address={HOME}:{port}") as second,
    ):
        # The second node is known to the first a moment after it is there.
        time.sleep(5)
        running = restore(
            source, parts, "--segment", "1", "--engine", "ray",
            environment={**ENVIRONMENT, "RAY_ADDRESS": f"{HOME}:{port}"},
        )  # fmt: skip
        folder = tmp_path / ".parts.mkv.vidrestore-parts"
        wait_for(lambda: len(list(folder.glob("*.new"))) == 2, 120)
        os.kill(second, signal.SIGKILL)
        out, err = running.communicate(timeout=400)
    assert running.returncode == 0, err
    assert "a worker was lost once; its work was repeated" in err
    assert "150 frames" in out
    assert_equal(whole, parts)
    assert names_in(tmp_path) == ["in.mkv", "parts.mkv", "whole.mkv"]
