"""Streams of pictures: in order, with bounded work, from any thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import vidrestore
from tests.support.frames import random_frame


def test_a_stream_gives_one_picture_for_each_in_order_with_steady_track_ids(
    restorer: vidrestore.Restorer, pictures: list[NDArray[np.uint8]]
) -> None:
    results = list(restorer.frames(iter(pictures), frame_rate=25))
    assert len(results) == len(pictures)
    assert {tuple(face.track_id for face in result.faces) for result in results} == {(0,)}
    for picture, result in zip(pictures, results, strict=True):
        assert np.array_equal(result.picture[~result.mask], picture[~result.mask])


@pytest.mark.parametrize("kind", ["rgb", "float", "grey", "planar", "tensor", "frame"])
def test_a_caller_may_fill_one_picture_again_and_again(restorer: vidrestore.Restorer, kind: str) -> None:
    shape = {"grey": (48, 64), "frame": (48, 64), "planar": (3, 48, 64)}.get(kind, (48, 64, 3))
    memory: Any = np.zeros(shape, np.float32 if kind == "float" else np.uint8)
    picture: Any = memory.transpose(1, 2, 0) if kind == "planar" else memory
    if kind == "tensor":
        picture = torch.from_numpy(memory)
    elif kind == "frame":
        picture = replace(random_frame("gray", 64, 48), planes=(memory,))

    def fill() -> Iterator[Any]:
        for value in range(30):
            memory[:] = value / 32 if kind == "float" else value
            yield replace(picture, index=value, pts=value) if kind == "frame" else picture

    results = [result.picture for result in restorer.frames(fill(), frame_rate=25)]
    values = [result.planes[0] if kind == "frame" else result for result in results]
    assert [float(value.max()) for value in values] == [v / 32 if kind == "float" else v for v in range(30)]


def test_a_stream_may_be_left_early(restorer: vidrestore.Restorer, pictures: list[NDArray[np.uint8]]) -> None:
    stream = restorer.frames(pictures * 20)
    assert next(stream).picture.shape == pictures[0].shape
    stream.close()
    assert restorer.image(pictures[0]).faces


def test_a_stream_of_a_live_source_that_waits_for_its_next_picture_may_be_left(
    restorer: vidrestore.Restorer,
) -> None:
    has_result, waits, go_on, left = (threading.Event() for _ in range(4))

    def live() -> Iterator[NDArray[np.uint8]]:
        try:
            while not has_result.wait(0.02):  # slower than the pipeline, so that no queue is full
                yield np.zeros((64, 64, 3), np.uint8)
            waits.set()
            go_on.wait()
        finally:
            left.set()

    stream = restorer.frames(live())
    next(stream)
    has_result.set()
    assert waits.wait(60)
    thread = threading.Thread(target=stream.close, daemon=True)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    assert not left.is_set()
    go_on.set()
    assert left.wait(60)


def test_a_stream_may_continue_in_another_thread(
    restorer: vidrestore.Restorer, pictures: list[NDArray[np.uint8]]
) -> None:
    stream = restorer.frames([picture[::2, ::2] for picture in pictures * 20])
    results: list[object] = []

    def in_a_thread(work: Callable[[], object]) -> None:
        thread = threading.Thread(target=lambda: results.append(work()), daemon=True)
        thread.start()
        thread.join(120)

    in_a_thread(lambda: next(stream))
    results.append(next(stream))
    in_a_thread(lambda: restorer.image(pictures[0][::2, ::2]))  # beside a stream that is still open
    in_a_thread(stream.close)
    results.append(restorer.image(pictures[0][::2, ::2]))
    assert [isinstance(result, vidrestore.Restored) for result in results] == [True, True, True, False, True]


@pytest.mark.usefixtures("one_thread")
def test_a_stream_may_consist_of_results_of_the_same_restorer(
    restorer: vidrestore.Restorer, pictures: list[NDArray[np.uint8]]
) -> None:
    small = [picture[::2, ::2] for picture in pictures]
    alone = [restorer.image(picture).picture for picture in small]
    made: list[NDArray[np.uint8]] = []

    def make() -> Iterator[NDArray[np.uint8]]:
        for picture in small:
            made.append(restorer.image(picture).picture)
            yield made[-1]

    count: list[int] = []
    thread = threading.Thread(target=lambda: count.append(len(list(restorer.frames(make())))), daemon=True)
    thread.start()
    thread.join(300)
    assert count == [len(small)]
    assert all(np.array_equal(one, other) for one, other in zip(made, alone, strict=True))


def test_an_open_stream_leaves_the_number_of_threads_of_its_caller(
    restorer: vidrestore.Restorer, pictures: list[NDArray[np.uint8]]
) -> None:
    usual = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        stream = restorer.frames([picture[::2, ::2] for picture in pictures * 20])
        next(stream)
        assert torch.get_num_threads() == 2
        thread = threading.Thread(target=stream.close, daemon=True)
        thread.start()
        thread.join(120)
        assert not thread.is_alive()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(usual)


@pytest.mark.parametrize("rate", [25, 25.0, Fraction(25), "25", np.float32(25), np.int64(25), np.uint8(25)])
def test_a_frame_rate_is_any_number(restorer: vidrestore.Restorer, rate: Any) -> None:
    (frame,) = (
        r.before_and_after[0] for r in restorer.frames([np.zeros((8, 6, 3), np.uint8)], frame_rate=rate)
    )
    assert frame.time_base == Fraction(1, 25)


@pytest.mark.parametrize("rate", [0, -5, float("nan"), float("inf"), "fast", None])
def test_a_stream_without_a_frame_rate_is_refused_at_once(restorer: vidrestore.Restorer, rate: Any) -> None:
    with pytest.raises(vidrestore.UsageError, match="frame_rate is a number of pictures per second above 0"):
        restorer.frames([], frame_rate=rate)


@pytest.mark.parametrize("pictures", [None, 5, np.zeros((8, 6, 3), np.uint8), torch.zeros(8, 6, 4)])
def test_an_argument_that_is_no_stream_is_refused_at_once(
    restorer: vidrestore.Restorer, pictures: Any
) -> None:
    with pytest.raises(vidrestore.UsageError, match="frames takes"):
        restorer.frames(pictures)


def test_a_stream_of_none_values_is_refused(restorer: vidrestore.Restorer) -> None:
    with pytest.raises(vidrestore.UsageError, match=r"got builtins\.NoneType"):
        list(restorer.frames([None]))


def test_an_empty_stream_gives_nothing(restorer: vidrestore.Restorer) -> None:
    assert list(restorer.frames([])) == []


def test_pictures_of_a_stream_must_have_the_same_size(
    restorer: vidrestore.Restorer, pictures: list[NDArray[np.uint8]]
) -> None:
    with pytest.raises(vidrestore.UsageError, match=r"picture 1 is \(100, 640, 3\)"):
        list(restorer.frames([pictures[0], pictures[1][:100]]))
