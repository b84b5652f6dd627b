"""The worker pools of the restoration stage: threads that run the network, and threads for the rest.

On a CPU, several batches are computed at once, each by a worker with few threads. Threads that share one
batch wait for each other after every layer, so time that other stages take from one core is lost on all
cores. A worker with a core of its own waits for nobody; two workers are also a little faster than two threads
that share a batch, and the result for a face does not depend on the number of cores.

On a GPU, a worker only launches a batch and waits for it, so that the next batch is ready in time. Alignment,
averaging and compositing of a 512-pixel face take 30 ms of a core, longer than the GPU needs for several
faces; a CPU thread pool shares that work.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch

from vidrestore.restoration.restorer import NetworkRestorer
from vidrestore.runtime.worker_threads import WorkerPool, set_torch_threads

MAX_CPU_NETWORK_WORKERS = 4
"""Each worker holds another batch of frames. With more cores, workers get more threads instead."""
GPU_NETWORK_WORKERS = 2
"""One waits for its batch while the other prepares the next."""
SMALL_GPU_BYTES = 7.5 * 2**30
"""A GPU with less memory (those sold with 8 GB have a little less) gets one worker: larger batches are worth
more there."""
MAX_CPU_WORKERS = 8
MAX_PARALLEL_FACE_SIZE = 256
"""Side of a face in pixels. With larger faces each worker needs gigabytes, and waiting is small beside the
arithmetic."""


@contextmanager
def network_workers_for(restorer: NetworkRestorer) -> Iterator[WorkerPool | None]:
    """The workers that compute the restorer's batches; None: the caller's own thread does.

    On a CPU, torch uses one thread for the caller's own tensors while the block lasts.
    """
    if restorer.device.type == "cuda":  # MPS is not said to bear several threads
        # What is left to its threads is too little to be shared with others.
        with WorkerPool(_gpu_workers(restorer.device), partial(set_torch_threads, 1)) as network_workers:
            yield network_workers
        return
    threads = torch.get_num_threads()
    count = min(threads, MAX_CPU_NETWORK_WORKERS)
    if restorer.device.type != "cpu" or restorer.size > MAX_PARALLEL_FACE_SIZE or count < 2:
        yield None
        return
    set_torch_threads(1)
    try:
        with WorkerPool(count, partial(set_torch_threads, threads // count)) as network_workers:
            yield network_workers
    finally:
        set_torch_threads(threads)


def _gpu_workers(device: torch.device) -> int:
    _, total = torch.cuda.mem_get_info(device)
    return 1 if total < SMALL_GPU_BYTES else GPU_NETWORK_WORKERS


@contextmanager
def cpu_workers_for(restorer: NetworkRestorer) -> Iterator[WorkerPool | None]:
    """The workers that align, average and composite faces beside a GPU.

    None on a CPU, where all cores run the network: then each stage's own thread does it.
    """
    if restorer.device.type == "cpu":
        yield None
        return
    with WorkerPool(
        min(torch.get_num_threads(), MAX_CPU_WORKERS), partial(set_torch_threads, 1)
    ) as cpu_workers:
        yield cpu_workers
