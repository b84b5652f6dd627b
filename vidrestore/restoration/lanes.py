"""On a processor several batches at the same time, each on few threads, instead of one batch on all.

Threads that share a batch meet after every layer, and each meeting waits for the last: what the other rooms
take of one core, all cores lose. A lane has one core to itself and waits for nobody; besides, two lanes get
through a little more than two threads that share, and what a face becomes does not depend on how many cores
there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch

from vidrestore.device import compute_with
from vidrestore.restoration.restorer import DaefrRestorer
from vidrestore.streaming import Lanes

MOST_LANES = 4
"""Every lane holds a batch of frames more; with more cores, lanes get more threads instead."""
LARGEST = 256
"""Pixels a side of a face: with larger ones every lane's memory counts in gigabytes, and waiting is nothing
beside the arithmetic."""


@contextmanager
def lanes_for(restorer: DaefrRestorer) -> Iterator[Lanes | None]:
    """The lanes its batches are to be computed in; None: in the caller's own thread.

    With lanes, the caller's tensors are computed by its thread alone while the block lasts.
    """
    threads = torch.get_num_threads()
    count = min(threads, MOST_LANES)
    if restorer.device.type != "cpu" or restorer.size > LARGEST or count < 2:
        yield None
        return
    compute_with(1)
    try:
        with Lanes(count, partial(compute_with, threads // count)) as lanes:
            yield lanes
    finally:
        compute_with(threads)
