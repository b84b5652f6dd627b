"""Processes of the page end with its server, however that ends."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

SERVER = """
from vidrestore.web.media import MediaWorker

if __name__ == "__main__":
    media = MediaWorker()
    media.warm_up()
    pool = media._pool("looks")
    import os
    print(pool.submit(os.getpid).result(), flush=True)
    input()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_process_for_thumbnails_ends_with_a_killed_server(tmp_path: Path) -> None:
    script = tmp_path / "server.py"
    script.write_text(SERVER)
    server = subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    worker = int(server.stdout.readline())
    assert _runs(worker)
    server.kill()
    server.wait()
    until = time.monotonic() + 60
    while _runs(worker):
        assert time.monotonic() < until, "it still runs"
        time.sleep(0.05)


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
