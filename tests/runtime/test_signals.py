"""An interrupt is never lost, wherever it comes."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.signals import skip_where_ignored
from vidrestore.runtime import signals


def ask_to_end() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def ask_and_wait(ask: Callable[[], object]) -> None:
    """Far longer than an interrupt takes to come."""
    ask()
    time.sleep(5)


@pytest.fixture(autouse=True)
def interrupts_arrive() -> None:
    skip_where_ignored("SIGINT")


@pytest.fixture
def deferring_function(tmp_path: Path) -> Callable[..., None]:
    """A function of a file of its own that C might call, and that asks to end in its middle."""
    file = str(tmp_path / "called_from_c.py")
    source = "def read(ask, done):\n    ask()\n    for _ in range(1000):\n        pass\n    done.append(1)\n"
    names: dict[str, Callable[..., None]] = {}
    exec(compile(source, file, "exec"), names)
    signals.defer_interrupts_in(file)
    return names["read"]


def test_an_interrupt_is_raised_after_deferring_code_has_ended(
    deferring_function: Callable[..., None],
) -> None:
    done: list[int] = []
    with signals.deferred_interrupts(), pytest.raises(KeyboardInterrupt):
        ask_and_wait(lambda: deferring_function(ask_to_end, done))
    assert done == [1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_outside_deferring_code_is_raised_at_once() -> None:
    with signals.deferred_interrupts(), signals.deferred_interrupts(), pytest.raises(KeyboardInterrupt):
        ask_and_wait(ask_to_end)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_that_comes_within_a_destructor_is_not_lost() -> None:
    class Ending:
        def __del__(self) -> None:
            ask_to_end()
            time.sleep(0.1)  # the interrupt is raised here, where Python only reports exceptions

    with signals.interrupting_signals(), pytest.raises(KeyboardInterrupt):
        ask_and_wait(Ending)
    assert sys.unraisablehook is not signals._send_lost_interrupt


def test_a_program_with_a_handler_of_its_own_keeps_it() -> None:
    asked: list[int] = []

    def own(number: int, frame: object) -> None:
        asked.append(number)

    before = signal.signal(signal.SIGINT, own)
    try:
        with signals.deferred_interrupts():
            assert signal.getsignal(signal.SIGINT) is own
            signal.raise_signal(signal.SIGINT)
            time.sleep(0.01)
        assert asked == [signal.SIGINT]
    finally:
        signal.signal(signal.SIGINT, before)
