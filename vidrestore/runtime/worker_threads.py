"""Pools of worker threads, and the number of threads that torch uses in each of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

T = TypeVar("T")
P = TypeVar("P")
R = TypeVar("R")
Params = ParamSpec("Params")

_THREAD_COUNT_LOCK = threading.Lock()


def set_torch_threads(threads: int) -> None:
    """Sets the number of threads with which torch computes tensors of this thread; others are unchanged."""
    import torch

    # torch also uses the number for threads that start later. A new thread has the previous number, and a
    # second new thread restores it.
    with _THREAD_COUNT_LOCK, ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as last:
        usual = first.submit(torch.get_num_threads).result()
        torch.get_num_threads()  # otherwise the first use of torch in this thread sets the default later
        torch.set_num_threads(threads)
        last.submit(torch.set_num_threads, usual).result()


def limit_threads(threads: int) -> None:
    """Sets the number of threads of torch and OpenCV in this process. Call it before other threads start."""
    import cv2
    import torch

    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)


class SingleThreadWorker:
    """Calls functions in one other thread, which computes tensors without further threads.

    For small networks beside a large one: their results do not depend on the caller's number of threads, and
    they do not wait for those threads.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "single", initializer=set_torch_threads, initargs=(1,))

    def call(self, function: Callable[Params, R], *arguments: Params.args, **named: Params.kwargs) -> R:
        """Returns the function's result, or raises its error."""
        return self._thread.submit(function, *arguments, **named).result()


class ParallelFor:
    """Runs independent small parts of work in as many threads as torch uses in the caller's thread.

    Each of the threads computes tensors without further threads.
    """

    def __init__(self) -> None:
        self._threads: dict[int, ThreadPoolExecutor] = {}

    def run(self, parts: Sequence[T], work: Callable[[Iterator[T]], None]) -> None:
        """Calls `work` in each thread, with a shared iterator, so that each part goes to one thread.

        If torch uses one thread here, `work` is called once in this thread. Errors of `work` are raised.
        """
        import torch

        count = min(torch.get_num_threads(), len(parts))
        shared = iter(parts)
        if count < 2:
            work(shared)
            return
        # The pool is kept for later calls: starting a thread takes longer than a part.
        threads = self._threads.get(count)
        if threads is None:
            threads = ThreadPoolExecutor(count, "parallel-for", initializer=set_torch_threads, initargs=(1,))
            self._threads[count] = threads
        for done in [threads.submit(work, shared) for _ in range(count)]:
            done.result()


@contextmanager
def start_in_background(make: Callable[[], R]) -> Iterator[Callable[[], R]]:
    """Starts `make` in a background thread; yields a function that waits for its result, or raises its error.

    Leaving the block waits for that thread.
    """
    with ThreadPoolExecutor(1, "background") as pool:
        yield pool.submit(make).result


class WorkerPool:
    """A thread pool. Each worker computes one batch at a time.

    Use it in a `with` block: leaving the block cancels batches that have not started and waits for the
    others.
    """

    def __init__(self, count: int, begin: Callable[[], None]) -> None:
        """`begin` is called once in each of the `count` threads, before its first batch."""
        self.count = count
        self._pool = ThreadPoolExecutor(count, "worker", initializer=begin)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def submit(self, run: Callable[[list[P]], Iterable[R]], parts: list[P]) -> Future[list[R]]:
        """A future with the results of `run` for `parts`, or its error."""
        return self._pool.submit(lambda: list(run(parts)))
