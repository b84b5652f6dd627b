"""All work on a device is launched in one thread; errors reach the caller, and the thread ends."""

from __future__ import annotations

import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from vidrestore.runtime.device import exact_float32
from vidrestore.runtime.launching_thread import NAME, is_launching, launch, launching_thread

GPU = torch.device("cuda")
"""No GPU is needed: the functions do nothing there."""


def launchers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith(NAME)]


def test_callers_of_any_thread_launch_in_one_thread_which_ends_with_the_block() -> None:
    with launching_thread(GPU), ThreadPoolExecutor(8) as callers:
        idents = set(callers.map(lambda _: launch(GPU, threading.get_ident), range(100)))
        assert len(idents) == 1
        assert threading.get_ident() not in idents
        assert len(launchers()) == 1
    assert launchers() == []


def test_a_callers_work_is_launched_in_its_order() -> None:
    order: list[int] = []
    with launching_thread(GPU):
        for number in range(50):
            launch(GPU, lambda number=number: order.append(number))  # type: ignore[misc]
    assert order == list(range(50))


def test_no_more_functions_wait_than_there_are_callers() -> None:
    callers, running, ended = 4, threading.Event(), threading.Event()

    def hold() -> None:
        running.set()
        assert ended.wait(60)

    with launching_thread(GPU), ThreadPoolExecutor(callers + 1) as pool:
        first = pool.submit(launch, GPU, hold)
        assert running.wait(60)
        others = [pool.submit(launch, GPU, lambda: None) for _ in range(3 * callers)]
        started = [other for other in others if other.running()]
        assert len(started) <= callers
        ended.set()
        assert all(done.result(60) is None for done in (first, *others))


def test_an_error_reaches_its_caller_and_the_thread_continues() -> None:
    def fail() -> None:
        raise ValueError("as it was raised")

    with launching_thread(GPU):
        with pytest.raises(ValueError, match="as it was raised"):
            launch(GPU, fail)
        assert launch(GPU, lambda: 7) == 7


def test_memory_of_a_failed_function_is_released_with_its_error() -> None:
    """A batch that does not fit is halved: its tensors must be freed before the next try."""

    class Batch:
        pass

    def fail(references: list[weakref.ref[Batch]]) -> None:
        batch = Batch()
        references.append(weakref.ref(batch))
        raise RuntimeError("out of memory")

    held: list[weakref.ref[Batch]] = []
    gc.disable()  # a cycle would keep the memory until some later collection
    try:
        with launching_thread(GPU):
            with pytest.raises(RuntimeError):
                launch(GPU, lambda: fail(held))
            launch(GPU, lambda: None)  # the thread lets go of the work before
            assert held[0]() is None
    finally:
        gc.enable()


def test_a_function_may_launch_more() -> None:
    with launching_thread(GPU):
        assert launch(GPU, lambda: launch(GPU, is_launching))
        assert not is_launching()


def test_blocks_of_one_device_share_a_thread_and_devices_do_not() -> None:
    with launching_thread(GPU):
        first = launch(GPU, threading.get_ident)
        with launching_thread(torch.device("cuda:0")), launching_thread(torch.device("cuda:1")):
            assert launch(torch.device("cuda:0"), threading.get_ident) == first
            assert launch(torch.device("cuda:1"), threading.get_ident) != first
        assert launch(GPU, threading.get_ident) == first
    assert launchers() == []


def test_without_a_launching_thread_the_caller_launches() -> None:
    assert launch(GPU, threading.get_ident) == threading.get_ident()


def test_gradients_are_never_computed() -> None:
    for_all = []
    for_all.append(launch(GPU, torch.is_inference_mode_enabled))
    with launching_thread(GPU):
        for_all.append(launch(GPU, torch.is_inference_mode_enabled))
    assert for_all == [True, True]


def test_the_tf32_setting_of_a_thread_does_not_change_while_it_launches() -> None:
    """TF32 is one switch for the whole process."""
    usual = torch.backends.cudnn.allow_tf32

    def allowed(exact: bool) -> set[bool]:
        if not exact:
            return {torch.backends.cudnn.allow_tf32 for _ in range(200)}
        with exact_float32(GPU):
            return {torch.backends.cudnn.allow_tf32 for _ in range(200)}

    with launching_thread(GPU), ThreadPoolExecutor(4) as callers:
        wanted = [number % 2 == 0 for number in range(60)]
        found = callers.map(lambda exact: launch(GPU, lambda: allowed(exact)), wanted)
        assert [seen for seen in found] == [{False} if exact else {usual} for exact in wanted]
    assert torch.backends.cudnn.allow_tf32 == usual
