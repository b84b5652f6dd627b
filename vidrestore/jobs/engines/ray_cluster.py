"""The engine of a Ray cluster: segments run on any of its machines and GPUs, which share a file system.

Each worker is a Ray actor: a process that keeps its networks from one segment to the next, on a GPU and with
its share of the machine's cores. Ray transfers paths, positions of faces and counts of frames; pictures are
read from and written to the shared storage. If a machine is lost, Ray notices, and its task is repeated on
another.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from vidrestore.errors import ProcessingError, UsageError
from vidrestore.jobs.engines.cluster_workers import WorkerPlace, plan_workers
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
from vidrestore.runtime.worker_threads import limit_threads

_ADDRESS = "RAY_ADDRESS"


@dataclass(slots=True)
class _Worker:
    actor: Any
    is_busy: bool = False


@dataclass(frozen=True, slots=True)
class _Running:
    task: Task
    place: WorkerPlace


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
        self._wanted, self._on_gpus = workers, on_gpus
        self._waiting: deque[Task] = deque()
        self._workers: dict[WorkerPlace, _Worker] = {}
        self._running: dict[Any, _Running] = {}
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
        for running in self._running.values():
            self._end(running.place)
        self._running, self._attempts = {}, {}
        self._waiting.clear()

    def __exit__(self, *exception: object) -> None:
        self.cancel()
        for place in list(self._workers):
            self._end(place)
        if self._is_ours:
            ray.shutdown()

    @property
    def has_capacity(self) -> bool:
        return len(self._waiting) + len(self._running) <= max(len(self._places()), 1)

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
            for stream in ready:
                event = self._next(stream, self._running[stream])
                if event is not None:
                    yield event
        self._dispatch()

    def _next(self, stream: Any, running: _Running) -> Event | None:
        task = running.task
        try:
            message = ray.get(next(stream))
        except StopIteration:
            self._free(stream)
            return None
        except RayError as error:
            self._free(stream)
            self._end(running.place)
            return self._handle_lost_worker(task, type(error).__name__)
        if isinstance(message, TaskDone | TaskFailed):
            self._free(stream)
            del self._attempts[task.number]
        assert isinstance(message, Event)
        return message

    def _free(self, stream: Any) -> None:
        running = self._running.pop(stream, None)
        if running is not None and running.place in self._workers:
            self._workers[running.place].is_busy = False

    def _handle_lost_worker(self, task: Task, why: str) -> Event:
        if self._attempts[task.number] < MAX_ATTEMPTS:
            self._waiting.appendleft(task)
            return WorkerLost(number=task.number, why=why)
        del self._attempts[task.number]
        lost = f"{MAX_ATTEMPTS} workers were lost over it, the last by {why}"
        error = ProcessingError(f"{task.name} could not be restored: {lost}")
        return TaskFailed(number=task.number, error=error)

    def _dispatch(self) -> None:
        if not self._waiting:
            return
        for place in self._places():
            if not self._waiting:
                return
            worker = self._workers.get(place) or self._start(place)
            if worker.is_busy:
                continue
            task = self._waiting.popleft()
            attempt = self._attempts[task.number] = self._attempts.get(task.number, 0) + 1
            worker.is_busy = True
            self._running[worker.actor.run.remote(task, attempt - 1)] = _Running(task, place)

    def _start(self, place: WorkerPlace) -> _Worker:
        there = NodeAffinitySchedulingStrategy(node_id=place.node, soft=False) if place.node else "SPREAD"
        # Ray's own retries would be invisible here.
        options = {"max_restarts": 0, "max_task_retries": 0, "scheduling_strategy": there}
        actor = _ACTOR.options(num_cpus=place.cores, num_gpus=place.gpus, **options).remote(
            max(int(place.cores), 1)
        )
        self._workers[place] = _Worker(actor)
        return self._workers[place]

    def _end(self, place: WorkerPlace) -> None:
        worker = self._workers.pop(place, None)
        if worker is not None:
            with suppress(RayError, ValueError):
                ray.kill(worker.actor)

    def _places(self) -> list[WorkerPlace]:
        """The places of workers; machines join and leave, so they are planned each time."""
        return plan_workers(ray.nodes(), self._wanted, on_gpus=self._on_gpus)


class _TaskRunner:
    """A process of the cluster that runs one task after another, and keeps its networks between them."""

    def __init__(self, threads: int) -> None:
        configure_process()
        limit_threads(threads)

    @ray.method(num_returns="streaming")  # type: ignore[untyped-decorator]
    def run(self, task: Task, attempt: int) -> Iterator[Event]:
        """Streams the events of a task through Ray."""
        yield from run_task(task, attempt)


_ACTOR: Any = ray.remote(_TaskRunner)
