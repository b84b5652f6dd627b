"""The engine of a Ray cluster: segments run on any of its machines and GPUs, which share a file system.

Ray transfers paths, positions of faces and counts of frames; pictures are read from and written to the shared
storage. If a machine is lost, Ray notices, and its task is repeated on another.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from typing import Any

import ray
from ray.exceptions import RayError

from vidrestore.errors import ProcessingError, UsageError
from vidrestore.jobs.engines.protocol import (
    MAX_ATTEMPTS,
    Event,
    Task,
    TaskDone,
    TaskFailed,
    WorkerLost,
    run_task,
)
from vidrestore.runtime.process_settings import configure_process

_ADDRESS = "RAY_ADDRESS"


class RayEngine:
    """An `Engine` on the cluster at RAY_ADDRESS, on the one of this computer, or on one that it starts.

    Raises:
        UsageError: There is no cluster at that address.
    """

    def __init__(self, workers: int | None, *, on_gpus: bool) -> None:
        """Prepare the engine; entering the `with` block connects it.

        Args:
            workers: Number of tasks at the same time; None: one for each GPU of the cluster, else for each
                machine.
            on_gpus: Whether tasks may use GPUs.
        """
        self._workers, self._on_gpus = workers, on_gpus
        self._waiting: deque[Task] = deque()
        self._running: dict[Any, Task] = {}
        self._attempts: dict[int, int] = {}
        self._is_ours = False

    def __enter__(self) -> RayEngine:
        self._is_ours = not ray.is_initialized()
        if self._is_ours:
            try:
                ray.init(log_to_driver=False, configure_logging=False)
            except (ConnectionError, RuntimeError, ValueError) as error:
                address = os.environ.get(_ADDRESS, "this computer")
                raise UsageError(f"there is no Ray cluster at {address}; see `ray status`") from error
        return self

    def cancel(self) -> None:
        for running in self._running:
            ray.cancel(running, force=True)
        self._running, self._attempts = {}, {}
        self._waiting.clear()

    def __exit__(self, *exception: object) -> None:
        self.cancel()
        if self._is_ours:
            ray.shutdown()

    @property
    def has_capacity(self) -> bool:
        return len(self._waiting) + len(self._running) <= self._count()

    @property
    def is_idle(self) -> bool:
        return not self._waiting and not self._running

    def submit(self, task: Task) -> None:
        self._waiting.append(task)
        self._dispatch()

    def events(self, *, wait: bool) -> Iterator[Event]:
        if self._running:
            ready, _ = ray.wait(
                list(self._running), num_returns=1, timeout=None if wait else 0, fetch_local=False
            )
            for running in ready:
                event = self._next(running, self._running[running])
                if event is not None:
                    yield event
        self._dispatch()

    def _next(self, running: Any, task: Task) -> Event | None:
        try:
            message = ray.get(next(running))
        except StopIteration:
            self._running.pop(running, None)
            return None
        except RayError as error:
            del self._running[running]
            return self._handle_lost_worker(task, type(error).__name__)
        if isinstance(message, TaskDone | TaskFailed):
            del self._running[running], self._attempts[task.number]
        assert isinstance(message, Event)
        return message

    def _handle_lost_worker(self, task: Task, why: str) -> Event:
        if self._attempts[task.number] < MAX_ATTEMPTS:
            self._waiting.appendleft(task)
            return WorkerLost(number=task.number, why=why)
        del self._attempts[task.number]
        lost = f"{MAX_ATTEMPTS} workers were lost over it, the last by {why}"
        error = ProcessingError(f"{task.name} could not be restored: {lost}")
        return TaskFailed(number=task.number, error=error)

    def _dispatch(self) -> None:
        while self._waiting and len(self._running) < self._count():
            task = self._waiting.popleft()
            attempt = self._attempts[task.number] = self._attempts.get(task.number, 0) + 1
            gpus = 1 if self._on_gpus and ray.cluster_resources().get("GPU") else 0
            # Ray's own retries would be invisible here. Ray also assigns the threads.
            remote = _run.options(num_cpus=1, num_gpus=gpus, max_retries=0, scheduling_strategy="SPREAD")
            self._running[remote.remote(task, attempt - 1)] = task

    def _count(self) -> int:
        """Number of tasks at the same time; machines join and leave, so it is computed each time."""
        if self._workers is not None:
            return self._workers
        gpus = int(ray.cluster_resources().get("GPU", 0)) if self._on_gpus else 0
        return max(gpus or sum(node["Alive"] for node in ray.nodes()), 1)


@ray.remote(num_returns="streaming")  # type: ignore[untyped-decorator]
def _run(task: Task, attempt: int) -> Iterator[Event]:
    """Streams the events of a task through Ray."""
    configure_process()
    yield from run_task(task, attempt)
