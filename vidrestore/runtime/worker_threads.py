"""Worker threads: pools of them, and how many threads torch computes with in each."""

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
    """Have this thread's tensors computed by so many threads, and leave the others of the process alone."""
    import torch

    # torch takes the number for that of all threads to come as well, the caller's own among them. A new
    # thread knows what that was, and another gives it back.
    with _THREAD_COUNT_LOCK, ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as last:
        usual = first.submit(torch.get_num_threads).result()
        torch.get_num_threads()  # a thread that has not asked yet would take the usual number later on
        torch.set_num_threads(threads)
        last.submit(torch.set_num_threads, usual).result()


class SingleThreadWorker:
    """Calls functions in a thread of its own, which computes their tensors alone.

    For small networks beside a large one: what they give does not depend on how many threads the caller's
    tensors are computed by, and they wait for none of them.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "single", initializer=set_torch_threads, initargs=(1,))

    def call(self, function: Callable[Params, R], *arguments: Params.args, **named: Params.kwargs) -> R:
        """What the function returns, or raises."""
        return self._thread.submit(function, *arguments, **named).result()


class ParallelFor:
    """As many threads as the caller's tensors are computed by, each of which computes alone.

    For work that is shared out in many small parts, none of which waits for another.
    """

    def __init__(self) -> None:
        self._threads: dict[int, ThreadPoolExecutor] = {}

    def run(self, parts: Sequence[T], work: Callable[[Iterator[T]], None]) -> None:
        """Calls `work` in each thread, with a shared iterator, so each of `parts` goes to one of them.

        Raises what `work` raises. A caller who computes alone does all of it itself.
        """
        import torch

        count = min(torch.get_num_threads(), len(parts))
        shared = iter(parts)
        if count < 2:
            work(shared)
            return
        # The pool outlives the call: a thread takes longer to begin than a part takes.
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
        """The results to come of `run` on `parts`, and its error."""
        return self._pool.submit(lambda: list(run(parts)))
