"""Iterates a source ahead in a thread, and processes items in batches."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import TYPE_CHECKING, Generic, TypeVar

from vidrestore.runtime.cancellation import POLL_SECONDS, cancellable, check_cancelled, is_cancellable

if TYPE_CHECKING:
    from vidrestore.runtime.worker_threads import WorkerPool

T = TypeVar("T")
P = TypeVar("P")
R = TypeVar("R")
_WAIT_SECONDS = 0.1


class Prefetch(Generic[T]):
    """Iterates a source in a thread, ahead of its consumer, up to a limit.

    Use it in a `with` block: leaving the block always stops the thread, closes the source and joins the
    thread. A source that waits for another `Prefetch` stops there, and does not finish its item first. An
    error of the source is raised when the consumer requests the next item.
    """

    def __init__(
        self,
        source: Iterable[T],
        *,
        items: int,
        max_bytes: int | None = None,
        size_of: Callable[[T], int] | None = None,
        interrupt: Callable[[], None] | None = None,
    ) -> None:
        """Prepare the thread; entering the `with` block starts it.

        Args:
            source: The items.
            items: Maximum number of items in the queue.
            max_bytes: Maximum size of the items in the queue; a single item may be larger.
            size_of: The size of an item in bytes, for `max_bytes`.
            interrupt: Ends a long wait inside the source when the block is left.
        """
        if max_bytes is not None and size_of is None:
            raise ValueError("max_bytes needs size_of")
        self._source = source
        self._items, self._max_bytes, self._size_of = items, max_bytes, size_of
        self._interrupt = interrupt
        self._waiting: queue.SimpleQueue[tuple[T, int] | None] = queue.SimpleQueue()
        self._condition = threading.Condition()
        self._count = self._bytes = 0
        self._stopped = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._produce, name="prefetch", daemon=True)

    def __enter__(self) -> Prefetch[T]:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._condition:
            self._stopped.set()
            self._condition.notify_all()
        if self._interrupt is not None:
            self._interrupt()
        self._thread.join()

    def __iter__(self) -> Iterator[T]:
        while True:
            entry = self._next_entry()
            if entry is None:
                break
            item, size = entry
            with self._condition:
                self._count -= 1
                self._bytes -= size
                self._condition.notify_all()
            yield item
        if self._error is not None:
            raise self._error

    def _next_entry(self) -> tuple[T, int] | None:
        if not is_cancellable():
            return self._waiting.get()
        while True:
            check_cancelled()
            try:
                return self._waiting.get(timeout=POLL_SECONDS)
            except queue.Empty:
                continue

    def _produce(self) -> None:
        try:
            with cancellable(self._stopped):
                for item in self._source:
                    if not self._put(item):
                        break
        except BaseException as error:
            self._error = error
        finally:
            if isinstance(self._source, Generator):
                self._source.close()
            self._waiting.put(None)

    def _put(self, item: T) -> bool:
        """Waits until the queue has space for the item; returns False if the consumer has stopped."""
        size = self._size_of(item) if self._size_of is not None else 0
        with self._condition:
            while not self._stopped.is_set() and not self._has_capacity(size):
                self._condition.wait(_WAIT_SECONDS)
            if self._stopped.is_set():
                return False
            self._count += 1
            self._bytes += size
        self._waiting.put((item, size))
        return True

    def _has_capacity(self, size: int) -> bool:
        if self._count == 0:
            return True
        fits = self._max_bytes is None or self._bytes + size <= self._max_bytes
        return self._count < self._items and fits


def windows(items: Iterable[T], radius: int) -> Iterator[tuple[Sequence[T], int]]:
    """Each item with up to `radius` items before and after it.

    Args:
        items: The items.
        radius: Number of neighbours on each side; each item is delayed by as many.

    Yields:
        The window, and the item's index in it. The window is valid until the next one is requested.
    """
    window: deque[T] = deque()
    at = 0
    for item in items:
        window.append(item)
        if len(window) - at > radius:
            yield window, at
            at += 1
        if at > radius:
            window.popleft()
            at -= 1
    while at < len(window):
        yield window, at
        at += 1
        if at > radius:
            window.popleft()
            at -= 1


class InlineExecutor:
    """Replaces a worker pool: `submit` does the work at once, in the caller's thread."""

    count = 0

    def submit(self, run: Callable[[list[P]], Iterable[R]], parts: list[P]) -> Future[list[R]]:
        done: Future[list[R]] = Future()
        done.set_result(list(run(parts)))
        return done


def map_in_batches(
    items: Iterable[T],
    parts_of: Callable[[T], Iterable[P]],
    run: Callable[[list[P]], Iterable[R]],
    *,
    batch: int,
    max_items: int,
    workers: WorkerPool | None = None,
) -> Iterator[tuple[T, list[R]]]:
    """Each item with the results of its parts, which are computed in batches over several items.

    Args:
        items: The items.
        parts_of: The parts of an item; an item may have none.
        run: The results of a batch of parts, one for each.
        batch: Number of parts in a batch. Only the last batch is smaller, and one for which
            `max_items` items wait.
        max_items: Maximum number of items that wait for results.
        workers: Computes several batches at the same time; None: one batch after the other.

    Yields:
        Each item, in order, with the results of its parts.
    """
    executor = workers or InlineExecutor()
    waiting: deque[tuple[T, int]] = deque()
    parts: list[P] = []
    running: deque[Future[list[R]]] = deque()
    results: deque[R] = deque()
    for item in items:
        before = len(parts)
        parts.extend(parts_of(item))
        waiting.append((item, len(parts) - before))
        while len(parts) >= batch:
            running.append(executor.submit(run, parts[:batch]))
            parts = parts[batch:]
        while True:
            crowded = len(waiting) >= max_items
            if running and (crowded or len(running) > executor.count or running[0].done()):
                results.extend(running.popleft().result())
                yield from _completed(waiting, results)
            elif crowded and parts:
                running.append(executor.submit(run, parts))
                parts = []
            else:
                break
        yield from _completed(waiting, results)
    if parts:
        running.append(executor.submit(run, parts))
    while running:
        results.extend(running.popleft().result())
        yield from _completed(waiting, results)
    yield from _completed(waiting, results)


def map_ahead(items: Iterable[T], run: Callable[[T], R], workers: WorkerPool | None = None) -> Iterator[R]:
    """The result of `run` for each item, in order; with `workers` several are computed at the same time.

    Args:
        items: The items.
        run: The work on one item.
        workers: The pool; None: the caller's thread.
    """

    def run_one(parts: list[T]) -> list[R]:
        return [run(part) for part in parts]

    max_pending = 2 * workers.count if workers is not None else 1
    for _, (result,) in map_in_batches(
        items, lambda item: (item,), run_one, batch=1, max_items=max_pending, workers=workers
    ):
        yield result


def _completed(waiting: deque[tuple[T, int]], results: deque[R]) -> Iterator[tuple[T, list[R]]]:
    while waiting and waiting[0][1] <= len(results):
        item, count = waiting.popleft()
        yield item, [results.popleft() for _ in range(count)]
