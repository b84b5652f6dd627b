"""Reads a caller's iterator in a thread of its own, which may wait in it for as long as it likes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")
PATIENCE_SECONDS = 1.0
"""How long `stop` waits for an item that the caller's iterator is making."""


class StoppedError(Exception):
    """The iterator was stopped; nobody waits for its items any more."""


class CallersIterator(Generic[T]):
    """The items of a caller's iterator, each read when it is requested.

    A live source may wait forever for its next item, such as `iter(queue.get, None)`. `stop` ends a wait for
    it from another thread; the thread inside the source is left alone, and ends with the source's next item.
    """

    def __init__(self, source: Iterator[T]) -> None:
        self._source: Iterator[T] = source
        self._requests: SimpleQueue[bool] = SimpleQueue()
        self._answers: SimpleQueue[tuple[T] | BaseException] = SimpleQueue()
        self._end: BaseException | None = None
        """What every further request raises."""
        self._thread = threading.Thread(target=self._read, name="pictures", daemon=True)

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        if self._end is not None:
            raise self._end
        if self._thread.ident is None:
            self._thread.start()
        self._requests.put(True)
        answer = self._answers.get()
        if isinstance(answer, tuple):
            return answer[0]
        self._end = answer
        raise answer

    def stop(self) -> None:
        """Ends the iteration: a request that waits, and every later one, raises StoppedError.

        Returns when the source is not read any more, but after `PATIENCE_SECONDS` in any case.
        """
        self._end = self._end or StoppedError()
        self._answers.put(self._end)
        self._requests.put(False)
        if self._thread.ident is not None:
            self._thread.join(PATIENCE_SECONDS)

    def _read(self) -> None:
        try:
            while self._requests.get():
                self._answers.put((next(self._source),))
        except BaseException as error:
            self._answers.put(error)
        finally:
            self._source = iter(())  # a generator that nobody else holds is closed now
