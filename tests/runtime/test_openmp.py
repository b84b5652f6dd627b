"""Threads of networks that wait for each other do not spin for long, and the environment stays as it was."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from vidrestore.runtime.openmp import SPIN_COUNT, limit_openmp_spin

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "samples" / "old_film.mp4"
_CALLS = {
    "restore": "vidrestore.restore(sample, folder + '/out.mkv', end=0.04, device='cpu')",
    "inspect": "vidrestore.inspect(sample, end=0.04, device='cpu')",
    "preview": "vidrestore.preview(sample, at=0.04, device='cpu')",
    "Restorer": "vidrestore.Restorer(device='cpu')",
}
_PROGRAM = """
import os, sys
import vidrestore

sample, folder = sys.argv[1:]
before = os.environ.get("GOMP_SPINCOUNT")
{call}
print(os.environ.get("GOMP_SPINCOUNT") == before, "torch" in sys.modules)
"""


def test_threads_that_wait_leave_the_processor_unless_the_user_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    limit_openmp_spin()
    assert "GOMP_SPINCOUNT" not in os.environ
    monkeypatch.delenv("OMP_WAIT_POLICY")
    limit_openmp_spin()
    assert 0 < int(os.environ["GOMP_SPINCOUNT"]) < 300_000
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    limit_openmp_spin()
    assert os.environ["GOMP_SPINCOUNT"] == "7"


@pytest.mark.slow
@pytest.mark.parametrize("name", _CALLS)
def test_a_call_that_loads_torch_shortens_its_spinning_and_leaves_the_environment(
    name: str, tmp_path: Path
) -> None:
    spins, printed = _run(_CALLS[name], tmp_path)
    assert printed == "True True"
    assert spins == {SPIN_COUNT}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variables", "import_before", "expected"),
    [
        ({"GOMP_SPINCOUNT": "7"}, "", {7}),
        ({"OMP_WAIT_POLICY": "PASSIVE"}, "", {0}),
        ({}, "import torch; ", {300_000}),
    ],
    ids=["a value of the user's", "a policy of the user's", "torch loaded by the host"],
)
def test_spin_settings_of_the_host_are_kept(
    variables: dict[str, str], import_before: str, expected: set[int], tmp_path: Path
) -> None:
    spins, printed = _run(import_before + _CALLS["Restorer"], tmp_path, **variables)
    assert printed == "True True"
    assert spins == expected


def _run(call: str, folder: Path, **variables: str) -> tuple[set[int], str]:
    """The numbers of spins that GNU OpenMP read when it was loaded, and what the program printed."""
    environment = {k: v for k, v in os.environ.items() if k not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(call=call), str(SAMPLE), str(folder)],
        env=environment | variables | {"OMP_DISPLAY_ENV": "verbose"},
        cwd=ROOT, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = {int(number) for number in re.findall(r"GOMP_SPINCOUNT = '(\d+)'", done.stderr)}
    if not found:
        pytest.skip("this PyTorch does not use GNU OpenMP")
    return found, done.stdout.split("\n")[-2]
