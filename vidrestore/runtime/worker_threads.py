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

_COUNTING = threading.Lock()


def compute_with(threads: int) -> None:
    """Have this thread's tensors computed by so many threads, and leave the others of the process alone."""
    import torch

    # torch takes the number for that of all threads to come as well, the caller's own among them. A new
    # thread knows what that was, and another gives it back.
    with _COUNTING, ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as last:
        usual = first.submit(torch.get_num_threads).result()
        torch.get_num_threads()  # a thread that has not asked yet would take the usual number later on
        torch.set_num_threads(threads)
        last.submit(torch.set_num_threads, usual).result()


class OneThread:
    """Calls functions in a thread of its own, which computes their tensors alone.

    For small networks beside a large one: what they give does not depend on how many threads the caller's
    tensors are computed by, and they wait for none of them.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "alone", initializer=compute_with, initargs=(1,))

    def call(self, function: Callable[Params, R], *arguments: Params.args, **named: Params.kwargs) -> R:
        """What the function returns, or raises."""
        return self._thread.submit(function, *arguments, **named).result()


class Crew:
    """As many threads as the caller's tensors are computed by, each of which computes alone.

    For work that is shared out in many small parts, none of which waits for another.
    """

    def __init__(self) -> None:
        self._threads: dict[int, ThreadPoolExecutor] = {}

    def share(self, parts: Sequence[T], work: Callable[[Iterator[T]], None]) -> None:
        """Calls `work` in each thread, with an iterator that hands each of `parts` to one of them.

        Raises what `work` raises. A caller who computes alone does all of it itself.
        """
        import torch

        count = min(torch.get_num_threads(), len(parts))
        shared = iter(parts)
        if count < 2:
            work(shared)
            return
        # The crew outlives the call: a thread takes longer to begin than a part takes.
        threads = self._threads.get(count)
        if threads is None:
            threads = ThreadPoolExecutor(count, "crew", initializer=compute_with, initargs=(1,))
            self._threads[count] = threads
        for done in [threads.submit(work, shared) for _ in range(count)]:
            done.result()


@contextmanager
def begun(make: Callable[[], R]) -> Iterator[Callable[[], R]]:
    """A function that gives what `make` returns, or raises its error: a thread is at it from now on.

    Leaving the block waits for that thread.
    """
    with ThreadPoolExecutor(1, "begun") as pool:
        yield pool.submit(make).result


class Lanes:
    """Threads that work on batches at the same time, each on one.

    Use it in a `with` block: leaving the block drops what has not begun and waits for what has.
    """

    def __init__(self, count: int, begin: Callable[[], None]) -> None:
        """`begin` is called once in each of the `count` threads, before its first batch."""
        self.count = count
        self._pool = ThreadPoolExecutor(count, "lane", initializer=begin)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def submit(self, run: Callable[[list[P]], Iterable[R]], parts: list[P]) -> Future[list[R]]:
        """The results to come of `run` on `parts`, and its error."""
        return self._pool.submit(lambda: list(run(parts)))
