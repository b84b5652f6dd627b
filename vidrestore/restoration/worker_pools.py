"""Which threads compute batches, and which do what is left to the processor beside a GPU.

On a processor several batches are computed at the same time, each on few threads, instead of one batch on
all. Threads that share a batch meet after every layer, and each meeting waits for the last: what the other
rooms take of one core, all cores lose. A lane has one core to itself and waits for nobody; besides, two lanes
get through a little more than two threads that share, and what a face becomes does not depend on how many
cores there are.

A GPU's lanes only tell it what to do and wait for it, so that it has the next batch when it is done with one.
What a face of 512 pixels costs before and after takes a core thirty milliseconds, in which a GPU is done with
several: that is shared out among hands.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch

from vidrestore.restoration.restorer import DaefrRestorer
from vidrestore.runtime.worker_threads import Lanes, compute_with

MOST_LANES = 4
"""Every lane holds a batch of frames more; with more cores, lanes get more threads instead."""
GPU_LANES = 2
"""One waits for what is computed while the other makes the next batch ready."""
MOST_HANDS = 8
LARGEST = 256
"""Pixels a side of a face: with larger ones every lane's memory counts in gigabytes, and waiting is nothing
beside the arithmetic."""


@contextmanager
def lanes_for(restorer: DaefrRestorer) -> Iterator[Lanes | None]:
    """The lanes its batches are to be computed in; None: in the caller's own thread.

    With lanes on a processor, the caller's tensors are computed by its thread alone while the block lasts.
    """
    if restorer.device.type == "cuda":  # MPS is not said to bear several threads
        # What is left to its threads is too little to be shared with others.
        with Lanes(GPU_LANES, partial(compute_with, 1)) as lanes:
            yield lanes
        return
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


@contextmanager
def hands_for(restorer: DaefrRestorer) -> Iterator[Lanes | None]:
    """Threads that cut faces out, average and lay back beside a GPU; None: each room's own thread does.

    A processor that computes the network has its hands full.
    """
    if restorer.device.type == "cpu":
        yield None
        return
    with Lanes(min(torch.get_num_threads(), MOST_HANDS), partial(compute_with, 1)) as hands:
        yield hands
