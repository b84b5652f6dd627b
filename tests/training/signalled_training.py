"""Run by test_signals: the command, with networks so small that a step takes moments."""

from __future__ import annotations

import sys

from tests.support.training import SMALL
from vidrestore.cli import main
from vidrestore.training.stages import codebook

if __name__ == "__main__":
    codebook.NETWORKS["compact"] = SMALL
    sys.exit(main(["train", "codebook", *sys.argv[1:]]))
