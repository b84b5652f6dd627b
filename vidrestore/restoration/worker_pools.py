"""The worker pools of the restoration stage: threads that run the network, and threads for the rest.

On a CPU, several batches are computed at once, each by a worker with few threads. Threads that share one
batch wait for each other after every layer, so that time lost on one core is lost on all cores. A worker with
its own core does not wait. Two workers are also slightly faster than two threads that share a batch, and the
result for a face does not depend on the number of cores.

On a GPU, a worker only has a batch launched and waits for it, so that the next batch is ready in time.
Alignment, averaging and compositing of a 512-pixel face take 30 ms of a core, longer than the GPU needs for
several faces; a CPU thread pool shares that work. All threads launch in the device's one thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch

from vidrestore.restoration.restorer import NetworkRestorer
from vidrestore.runtime.launching_thread import launching_thread
from vidrestore.runtime.worker_threads import WorkerPool, set_torch_threads

MAX_CPU_NETWORK_WORKERS = 4
"""Limit of workers on a CPU, as each has its own batch of frames. With more cores they get more threads."""
GPU_NETWORK_WORKERS = 2
"""Workers on a GPU: one waits for its batch while the other prepares the next."""
SMALL_GPU_BYTES = 7.5 * 2**30
"""A GPU with less memory gets one worker, because larger batches are more useful there. GPUs sold with 8 GB
have slightly less."""
MAX_CPU_WORKERS = 8
MAX_PARALLEL_FACE_SIZE = 256
"""Side of a face [px]. With larger faces a worker needs gigabytes, and little time is lost by waiting."""


@contextmanager
def network_workers_for(restorer: NetworkRestorer) -> Iterator[WorkerPool | None]:
    """A context with the workers that compute the restorer's batches; None: the caller's thread does it.

    On a CPU, torch uses one thread in the caller's thread until the end of the context.
    """
    if restorer.device.type == "cuda":  # MPS may not support several threads
        # The caller's own tensor operations are too small for several threads.
        with (
            launching_thread(restorer.device),
            WorkerPool(_gpu_workers(restorer.device), partial(set_torch_threads, 1)) as network_workers,
        ):
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
    """A context with the workers that align, average and composite faces while a GPU runs the networks.

    None on a CPU, where all cores run the networks; each stage's own thread does this work then.
    """
    if restorer.device.type == "cpu":
        yield None
        return
    with WorkerPool(
        min(torch.get_num_threads(), MAX_CPU_WORKERS), partial(set_torch_threads, 1)
    ) as cpu_workers:
        yield cpu_workers
