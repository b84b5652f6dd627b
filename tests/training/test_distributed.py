"""Several processes train one network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.support.one_training_step import weights_after_one_step
from vidrestore.errors import UsageError
from vidrestore.training.distributed import join_processes

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def test_two_processes_keep_equal_weights(config: Path, tmp_path: Path) -> None:
    pytest.importorskip("accelerate", reason="accelerate joins the processes; it is in the extra train")
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    finished = subprocess.run(
        [*command, "-m", "tests.training.two_processes", str(config), str(folder)],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert finished.returncode == 0, finished.stderr
    first, second = (torch.load(folder / f"rank{i}.pt", weights_only=True) for i in (0, 1))
    assert all(torch.equal(first[name], second[name]) for name in first)
    # Alone, the first process would have seen other faces and gone elsewhere.
    alone = tmp_path / "alone"
    subprocess.run(
        [sys.executable, "-m", "tests.training.two_processes", str(config), str(alone)],
        cwd=ROOT,
        env=os.environ | {"RANK": "0", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=300,
        check=True,
    )
    single = torch.load(alone / "rank0.pt", weights_only=True)
    assert any(not torch.equal(first[name], single[name]) for name in first)


def test_two_processes_step_as_one_with_the_whole_batch(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.one_training_step", str(rank), str(tmp_path / "meeting"),
             str(tmp_path / f"{rank}.pt")],
            cwd=ROOT,
            env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        )
        for rank in (0, 1)
    ]  # fmt: skip
    assert [process.wait(300) for process in processes] == [0, 0]
    whole = weights_after_one_step(0, 1)
    for rank in (0, 1):
        part = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        for name, value in whole.items():
            assert torch.allclose(part[name], value, atol=1e-6), (rank, name)


def test_several_processes_without_accelerate_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(UsageError, match="needs accelerate"):
        join_processes("cpu")


def test_a_process_alone_is_the_main_one() -> None:
    process = join_processes("cpu")
    assert process.is_main
    assert process.count == 1
