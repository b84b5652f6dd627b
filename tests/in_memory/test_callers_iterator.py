"""A caller's iterator is read in a thread of its own, one item at each request."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from vidrestore.in_memory.callers_iterator import CallersIterator, StoppedError

LIMIT_SECONDS = 60


def test_items_are_read_when_they_are_requested_and_not_before() -> None:
    taken: list[int] = []
    given = CallersIterator(taken.append(i) or i for i in range(3))  # type: ignore[func-returns-value]
    assert taken == []
    assert (next(given), taken) == (0, [0])
    time.sleep(0.05)
    assert taken == [0]
    assert list(given) == [1, 2]
    assert list(given) == []


def test_an_error_of_the_source_is_raised_where_the_item_was_requested() -> None:
    given = CallersIterator(1 // (1 - number) for number in range(5))
    assert next(given) == 1
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            next(given)


def test_stopping_ends_a_wait_for_a_source_that_gives_nothing_and_leaves_its_thread_alone() -> None:
    source: queue.Queue[int | None] = queue.Queue()
    inside = threading.Event()

    def get() -> int | None:
        inside.set()
        return source.get()

    given = CallersIterator(iter(get, None))
    ended: list[BaseException] = []

    def consume() -> None:
        try:
            next(given)
        except StoppedError as error:
            ended.append(error)

    consumer = threading.Thread(target=consume, daemon=True)
    consumer.start()
    assert inside.wait(LIMIT_SECONDS)
    started = time.monotonic()
    given.stop()
    consumer.join(LIMIT_SECONDS)
    assert len(ended) == 1
    assert time.monotonic() - started < LIMIT_SECONDS / 2
    assert given._thread.is_alive()
    source.put(1)
    given._thread.join(LIMIT_SECONDS)
    assert not given._thread.is_alive()
    with pytest.raises(StoppedError):
        next(given)


def test_stopping_waits_for_the_item_that_is_being_made_and_closes_a_generator_of_nobody_else() -> None:
    events: list[str] = []
    inside = threading.Event()

    def items() -> Iterator[int]:
        try:
            yield 0
            inside.set()
            time.sleep(0.1)
            events.append("made")
            yield 1
        finally:
            events.append("closed")

    given = CallersIterator(items())
    next(given)

    def consume() -> None:
        with suppress(StoppedError):
            next(given)

    threading.Thread(target=consume, daemon=True).start()
    assert inside.wait(LIMIT_SECONDS)
    given.stop()
    assert events == ["made", "closed"]


def test_an_iterator_that_was_never_read_is_stopped_at_once() -> None:
    given = CallersIterator(iter([1]))
    given.stop()
    with pytest.raises(StoppedError):
        next(given)
