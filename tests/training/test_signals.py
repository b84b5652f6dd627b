"""A training run that is ended by a signal: one error message, and its last checkpoint is complete."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.jobs import ENVIRONMENT, names_in
from tests.support.shared import ROOT
from tests.support.signals import skip_where_ignored
from vidrestore.training.saved_state import load_state
from vidrestore.training.stage_weights import load_vqgan

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")]
SECONDS = 300


def start(config: Path, output: Path, steps: int) -> subprocess.Popen[str]:
    words = [f"output={output}", f"steps={steps}", "save_every=1", "validate_every=1"]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.training.signalled_training", "--config", config, *words],
        env=ENVIRONMENT | {"OMP_NUM_THREADS": "1"}, cwd=ROOT, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def wait_for(path: Path) -> None:
    end = time.monotonic() + SECONDS
    while not path.exists():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_training_and_the_last_checkpoint_is_complete(
    config: Path, tmp_path: Path, name: str
) -> None:
    skip_where_ignored(name)
    output = tmp_path / "out"
    process = start(config, output, 1_000_000)
    wait_for(output / "best.json")
    process.send_signal(getattr(signal, name))
    _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert err.strip().splitlines()[-1] == "vidrestore: error: interrupted"
    assert not [file for file in names_in(output) if "partial" in file]
    done = load_state(output / "last.pt", ("step",))["step"]
    assert done >= 1
    load_vqgan(output / "weights.safetensors")
    assert json.loads((output / "best.json").read_text())["step"] <= done
    again = start(config, output, done + 1)
    _, err = again.communicate(timeout=SECONDS)
    assert again.returncode == 0, err
    assert load_state(output / "last.pt", ("step",))["step"] == done + 1
