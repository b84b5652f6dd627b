"""Work ahead within bounds, and always come to an end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidrestore.runtime.pipeline_threads import Prefetch, map_ahead, map_in_batches, windows
from vidrestore.runtime.worker_threads import WorkerPool, start_in_background

LIMIT_SECONDS = 60
"""After this a wait has failed."""


class Source:
    """Counts what it gave and says whether it was closed."""

    def __init__(self, count: int, error_at: int | None = None) -> None:
        self.count, self.error_at = count, error_at
        self.yielded, self.closed = 0, False

    def items(self) -> Iterator[int]:
        try:
            for i in range(self.count):
                if i == self.error_at:
                    raise OSError("the disk is gone")
                self.yielded += 1
                yield i
        finally:
            self.closed = True


def test_background_work_runs_beside_the_caller_and_its_result_is_there_when_requested() -> None:
    go_on = threading.Event()
    before = set(threading.enumerate())

    def make() -> str:
        assert go_on.wait(10)
        return "done"

    with start_in_background(make) as result:
        go_on.set()  # never reached if making held up the caller
        assert result() == result() == "done"
    assert set(threading.enumerate()) <= before


def test_an_error_of_background_work_is_raised_where_its_result_is_requested() -> None:
    with start_in_background(lambda: 1 // 0) as result, pytest.raises(ZeroDivisionError):
        result()


def test_an_error_of_the_caller_waits_for_background_work() -> None:
    done: list[int] = []

    def work() -> None:
        time.sleep(0.05)
        done.append(1)

    with pytest.raises(OSError, match="the caller"), start_in_background(work):
        raise OSError("the caller")
    assert done == [1]


def test_prefetched_items_come_in_order() -> None:
    with Prefetch(Source(100).items(), items=3) as stream:
        assert list(stream) == list(range(100))


def test_a_source_error_reaches_the_consumer_after_the_items_before_it() -> None:
    seen: list[int] = []
    prefetch = Prefetch(Source(10, error_at=4).items(), items=2)
    with prefetch as stream, pytest.raises(OSError, match="disk is gone"):
        keep_all(stream, seen)
    assert seen == [0, 1, 2, 3]


def test_a_consumer_error_does_not_hang_on_a_full_queue() -> None:
    source = Source(10**9)
    errors: list[BaseException] = []

    def consume() -> None:
        try:
            fail_while_the_queue_is_full(source)
        except ZeroDivisionError as error:
            errors.append(error)

    consumer = threading.Thread(target=consume, daemon=True)
    consumer.start()
    consumer.join(LIMIT_SECONDS)
    assert len(errors) == 1
    assert source.closed


def test_leaving_early_stops_the_thread_and_closes_the_source() -> None:
    source = Source(10**9)
    before = set(threading.enumerate())
    with Prefetch(source.items(), items=2) as stream:
        next(iter(stream))
    assert source.closed
    assert set(threading.enumerate()) <= before


def test_a_source_that_waits_for_another_thread_is_stopped_before_its_first_item() -> None:
    """As while the first frames of a video are collected."""
    read: list[int] = []

    def frames() -> Iterator[int]:
        for index in range(3000):
            time.sleep(0.02)
            read.append(index)
            yield index

    def collected() -> Iterator[int]:
        with Prefetch(frames(), items=2) as ahead:
            yield sum(ahead)

    with Prefetch(collected(), items=1):
        while not read:
            time.sleep(0.01)
    assert len(read) < 1500


def test_no_more_items_wait_than_the_limit_allows() -> None:
    source = Source(100)
    with Prefetch(source.items(), items=4) as stream:
        iterator = iter(stream)
        for taken in range(1, 50):
            next(iterator)
            assert source.yielded <= taken + 4 + 2  # one held by the thread, one in the source


def test_the_bytes_of_waiting_items_are_limited_but_a_large_item_passes() -> None:
    source = Source(20)
    with Prefetch(source.items(), items=100, max_bytes=10, size_of=lambda _: 4) as stream:
        time.sleep(0.2)
        assert source.yielded <= 3
        assert list(stream) == list(range(20))
    with Prefetch(iter([1, 2]), items=5, max_bytes=10, size_of=lambda _: 1000) as stream:
        assert list(stream) == [1, 2]


def test_a_bound_in_bytes_needs_a_size() -> None:
    with pytest.raises(ValueError, match="size_of"):
        Prefetch([1], items=1, max_bytes=10)


@given(st.lists(st.integers(0, 5)), st.integers(1, 9), st.integers(1, 6))
def test_batches_reach_over_items_and_every_item_gets_its_own_results(
    sizes: list[int], batch: int, most: int
) -> None:
    batches: list[int] = []
    given_to: list[int] = []

    def squares(parts: list[tuple[int, int]]) -> list[tuple[int, int]]:
        batches.append(len(parts))
        return [(item, part * part) for item, part in parts]

    def parts_of(item: tuple[int, int]) -> list[tuple[int, int]]:
        given_to.append(item[0])
        return [(item[0], part) for part in range(item[1])]

    out = []
    for item, results in map_in_batches(enumerate(sizes), parts_of, squares, batch=batch, max_items=most):
        # An item that has been taken in and is not out yet is waiting.
        assert len(given_to) - len(out) <= most
        out.append((item, results))
    assert [item for item, _ in out] == list(enumerate(sizes))
    for (index, size), results in out:
        assert results == [(index, part * part) for part in range(size)]
    assert all(1 <= size <= batch for size in batches)
    if most > len(sizes):
        assert all(size == batch for size in batches[:-1])


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 5)), st.integers(1, 9), st.integers(1, 12), st.integers(1, 3))
def test_any_number_of_workers_gives_the_same(sizes: list[int], batch: int, most: int, count: int) -> None:
    taken = 0

    def parts_of(item: tuple[int, int]) -> list[tuple[int, int]]:
        nonlocal taken
        taken += 1
        return [(item[0], part) for part in range(item[1])]

    out = []
    with WorkerPool(count, lambda: None) as workers:
        mapped = map_in_batches(
            enumerate(sizes), parts_of, lambda parts: parts, batch=batch, max_items=most, workers=workers
        )
        for item, results in mapped:
            assert taken - len(out) <= most
            out.append((item, results))
    assert out == [((i, size), [(i, part) for part in range(size)]) for i, size in enumerate(sizes)]


def test_two_workers_compute_two_batches_at_the_same_time() -> None:
    meeting = threading.Barrier(2)

    def meet(parts: list[int]) -> list[int]:
        meeting.wait(timeout=10)  # breaks where nobody else comes
        return parts

    with WorkerPool(2, lambda: None) as workers:
        mapped = map_in_batches(range(8), lambda i: [i], meet, batch=1, max_items=8, workers=workers)
        assert [results for _, results in mapped] == [[i] for i in range(8)]


def test_results_computed_ahead_come_in_order_whatever_time_each_takes() -> None:
    def slow_if_even(number: int) -> int:
        time.sleep(0.01 * (number % 2 == 0))
        return -number

    with WorkerPool(3, lambda: None) as workers:
        assert list(map_ahead(range(20), slow_if_even, workers)) == [-n for n in range(20)]
    assert list(map_ahead(range(20), slow_if_even)) == [-n for n in range(20)]


def test_mapping_ahead_takes_no_more_items_than_its_workers_and_queue_hold() -> None:
    taken = []

    def numbers() -> Iterator[int]:
        for number in range(50):
            taken.append(number)
            yield number

    with WorkerPool(2, lambda: None) as workers:
        for number in map_ahead(numbers(), abs, workers):
            assert len(taken) <= number + 5
    for number in map_ahead(numbers(), abs):
        assert taken[-1] == number


def test_an_error_in_a_worker_reaches_the_caller() -> None:
    def fail(parts: list[int]) -> list[int]:
        if 3 in parts:
            raise OSError("the device is gone")
        return parts

    seen: list[int] = []
    with WorkerPool(2, lambda: None) as workers:
        mapped = map_in_batches(range(8), lambda i: [i], fail, batch=1, max_items=8, workers=workers)
        with pytest.raises(OSError, match="device is gone"):
            keep_all((item for item, _ in mapped), seen)
    assert seen == [0, 1, 2]


def test_an_item_without_parts_passes_at_once() -> None:
    source = Source(3)
    mapped = map_in_batches(source.items(), lambda _: [], lambda parts: parts, batch=4, max_items=4)
    assert next(mapped) == (0, [])
    assert source.yielded == 1


def keep_all(stream: Iterable[int], seen: list[int]) -> None:
    for item in stream:
        seen.append(item)


def fail_while_the_queue_is_full(source: Source) -> None:
    with Prefetch(source.items(), items=2) as stream:
        for item in stream:
            time.sleep(0.05)
            1 // (item - item)


@given(count=st.integers(0, 12), radius=st.integers(0, 4))
def test_each_item_comes_with_those_around_it_and_no_others(count: int, radius: int) -> None:
    seen = [(window[at], list(window)) for window, at in windows(range(count), radius)]
    assert [item for item, _ in seen] == list(range(count))
    for item, around in seen:
        assert around == list(range(max(item - radius, 0), min(item + radius + 1, count)))


def test_a_window_reads_no_further_ahead_than_its_radius() -> None:
    taken: list[int] = []
    stream = windows((taken.append(i) or i for i in range(100)), 3)  # type: ignore[func-returns-value]
    next(stream)
    assert len(taken) == 4
