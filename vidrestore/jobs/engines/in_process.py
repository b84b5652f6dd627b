"""The engine that runs tasks in this process."""

from __future__ import annotations

from collections.abc import Iterator

from vidrestore.jobs.engines.protocol import Event, Task, run_task


class InProcessEngine:
    """An `Engine` with one worker: this process."""

    def __init__(self) -> None:
        self._task: Task | None = None

    def __enter__(self) -> InProcessEngine:
        return self

    def __exit__(self, *exception: object) -> None:
        self.cancel()

    def cancel(self) -> None:
        self._task = None

    @property
    def has_capacity(self) -> bool:
        return self._task is None

    @property
    def is_idle(self) -> bool:
        return self._task is None

    def submit(self, task: Task) -> None:
        assert self._task is None
        self._task = task

    def events(self, *, wait: bool) -> Iterator[Event]:
        if self._task is None or not wait:
            return
        task, self._task = self._task, None
        yield from run_task(task, 0)
