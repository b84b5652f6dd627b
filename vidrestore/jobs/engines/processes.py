"""The engine of this computer: worker processes, each with its share of threads and GPUs.

A worker that dies, for lack of memory or because it was killed, is replaced, and its task is repeated.
Workers end when the process that started them ends, for whatever reason.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from vidrestore.errors import ProcessingError
from vidrestore.jobs.engines.protocol import (
    MAX_ATTEMPTS,
    Event,
    Task,
    TaskDone,
    TaskFailed,
    WorkerLost,
    run_task,
)
from vidrestore.runtime import signals
from vidrestore.runtime.cancellation import POLL_SECONDS, check_cancelled, is_cancellable
from vidrestore.runtime.end_with_parent import end_with_parent
from vidrestore.runtime.process_settings import configure_process
from vidrestore.runtime.worker_threads import limit_threads

_SECONDS_TO_END = 5.0
_VISIBLE_GPUS = "CUDA_VISIBLE_DEVICES"
"""Names the GPUs that a process may use, separated by commas; unset: all."""


@dataclass(slots=True)
class _Worker:
    process: Any
    """A process of the spawn context."""
    pipe: Connection
    task: Task | None = None


class ProcessEngine:
    """An `Engine` with `workers` processes; each uses `threads` threads and one of the `gpus`, in turn."""

    def __init__(self, workers: int, *, gpus: int, threads: int) -> None:
        self._gpus, self._threads, self._count = gpus, threads, workers
        # fork would copy the locked state of torch's and FFmpeg's threads, but not the threads.
        self._context = multiprocessing.get_context("spawn")
        self._workers: dict[int, _Worker] = {}
        self._waiting: deque[Task] = deque()
        self._attempts: dict[int, int] = {}

    def __enter__(self) -> ProcessEngine:
        return self

    def __exit__(self, *exception: object) -> None:
        self.cancel()
        for worker in self._workers.values():
            with suppress(OSError):
                worker.pipe.send(None)
        for worker in self._workers.values():
            _end(worker)
        self._workers = {}

    def cancel(self) -> None:
        self._waiting.clear()
        self._attempts.clear()
        for number, worker in list(self._workers.items()):
            if worker.task is not None:
                worker.process.terminate()
                _end(self._workers.pop(number))

    @property
    def has_capacity(self) -> bool:
        """True while fewer tasks wait than keep every worker busy, plus one."""
        return len(self._waiting) + len(self._busy()) <= self._count

    @property
    def is_idle(self) -> bool:
        return not self._waiting and not self._busy()

    @property
    def process_ids(self) -> list[int]:
        """Process ids of the workers."""
        return [worker.process.pid for worker in self._workers.values()]

    def submit(self, task: Task) -> None:
        self._waiting.append(task)
        self._dispatch()

    def events(self, *, wait: bool) -> Iterator[Event]:
        yield from self._receive_events(wait)
        self._dispatch()

    def _receive_events(self, must_wait: bool) -> Iterator[Event]:
        pipes = {worker.pipe: number for number, worker in self._workers.items() if worker.task is not None}
        for pipe in _wait_for(list(pipes), must_wait) if pipes else ():
            number = pipes[pipe]
            worker = self._workers[number]
            assert worker.task is not None
            try:
                message = worker.pipe.recv()
            except (EOFError, OSError):
                yield self._handle_lost_worker(number, worker.task)
                continue
            if isinstance(message, TaskDone | TaskFailed):
                del self._attempts[worker.task.number]
                worker.task = None
            yield message

    def _handle_lost_worker(self, number: int, task: Task) -> Event:
        """Puts the task of a dead worker back at the front of the queue, unless it has failed too often."""
        worker = self._workers.pop(number)
        worker.process.join(_SECONDS_TO_END)
        worker.pipe.close()
        why = _describe_exit(worker.process.exitcode)
        if self._attempts[task.number] >= MAX_ATTEMPTS:
            del self._attempts[task.number]
            return TaskFailed(
                number=task.number,
                error=ProcessingError(
                    f"{task.name} could not be restored: {MAX_ATTEMPTS} workers died while restoring it, "
                    f"the last {why}; try fewer --workers or a smaller --batch, which need less memory"
                ),
            )
        self._waiting.appendleft(task)
        return WorkerLost(number=task.number, why=why)

    def _dispatch(self) -> None:
        while self._waiting and len(self._busy()) < self._count:
            number = next(
                n for n in range(self._count) if n not in self._workers or self._workers[n].task is None
            )
            worker = self._workers.get(number) or self._start(number)
            task = self._waiting.popleft()
            self._attempts[task.number] = self._attempts.get(task.number, 0) + 1
            worker.task = task
            with suppress(OSError):  # a worker died while idle: reading its events will report that
                worker.pipe.send((task, self._attempts[task.number] - 1))

    def _start(self, number: int) -> _Worker:
        parent_end, worker_end = self._context.Pipe()
        gpu = number % self._gpus if self._gpus > 1 else None
        process = self._context.Process(target=_serve, args=(worker_end, self._threads, gpu), daemon=True)
        process.start()
        worker_end.close()  # only the worker holds its end now, so its death closes the pipe
        self._workers[number] = _Worker(process, parent_end)
        return self._workers[number]

    def _busy(self) -> list[_Worker]:
        return [worker for worker in self._workers.values() if worker.task is not None]


def _wait_for(pipes: list[Connection], must_wait: bool) -> list[Any]:
    """The pipes that can be read; with `must_wait` at least one."""
    if not must_wait or not is_cancellable():
        return wait(pipes, timeout=None if must_wait else 0)
    while True:
        check_cancelled()
        if ready := wait(pipes, timeout=POLL_SECONDS):
            return ready


def _end(worker: _Worker) -> None:
    worker.process.join(_SECONDS_TO_END)
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join()
    worker.pipe.close()


def _serve(pipe: Connection, threads: int, gpu: int | None) -> None:
    """The main function of a worker: receives tasks, sends events."""
    for name in ("SIGINT", "SIGHUP", "SIGQUIT"):  # the parent process handles these
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    with suppress(KeyboardInterrupt):
        end_with_parent()
        if gpu is not None:
            os.environ[_VISIBLE_GPUS] = _visible_gpu(gpu)
        configure_process()
        limit_threads(threads)
        # The parent process stops workers with it. Until here there is nothing to clean up.
        signal.signal(signal.SIGTERM, signals.raise_or_defer)
        with suppress(EOFError, OSError):
            while (message := pipe.recv()) is not None:
                for event in run_task(*message):
                    pipe.send(event)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # Everything is closed. Threads that still compute would be ended inside C++ code while Python shuts down,
    # which aborts with a line on standard error.
    pipe.close()
    os._exit(0)


def _visible_gpu(number: int) -> str:
    """The name of GPU `number` among those that are visible to this process."""
    given = os.environ.get(_VISIBLE_GPUS)
    return given.split(",")[number].strip() if given else str(number)


def _describe_exit(code: int | None) -> str:
    if code is not None and code < 0:
        return f"by signal {-code}"
    return f"with exit code {code}"
