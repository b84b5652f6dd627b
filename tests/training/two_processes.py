"""Run by test_processes in each of two processes: a few steps, then this one's weights into a file."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch

from tests.support.training import SMALL
from vidrestore.training.config import read_config
from vidrestore.training.loop import run
from vidrestore.training.stages import codebook


def main(config: Path, folder: Path) -> None:
    codebook.NETWORKS["compact"] = SMALL
    stages: list[codebook.CodebookStage] = []

    def make(values):  # type: ignore[no-untyped-def]
        stages.append(codebook.CodebookStage(values))
        return stages[0]

    run(make, read_config(config, [f"output={folder}", "code_reset_every=1", "steps=3"]))
    state = stages[0].averaged.state_dict()
    torch.save({k: v.cpu() for k, v in state.items()}, folder / f"rank{os.environ['RANK']}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
