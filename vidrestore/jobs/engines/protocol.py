"""The interface of engines: tasks in, events out. Engines know nothing about video."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from vidrestore.errors import ProcessingError, VidrestoreError
from vidrestore.runtime.system_errors import to_system_error

MAX_ATTEMPTS = 3
"""How often a task is started before losing its worker is an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskProgress:
    """A task is running."""

    number: int
    frames: int
    """Number of frames written so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDone:
    """A task is finished."""

    number: int
    result: Any
    """The last value that the task yielded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFailed:
    """A task failed: by an error that another attempt would repeat, or by losing too many workers."""

    number: int
    error: VidrestoreError


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLost:
    """A worker died; its task will be repeated."""

    number: int
    why: str


Event = TaskProgress | TaskDone | TaskFailed | WorkerLost


class Task(Protocol):
    """A unit of work that can be pickled and repeated."""

    @property
    def number(self) -> int: ...

    @property
    def name(self) -> str:
        """The name in messages."""
        ...

    def run(self, attempt: int) -> Iterator[Any]:
        """Yields `TaskProgress` from time to time, and the result as the last value."""
        ...


class Engine(Protocol):
    """Runs tasks. Use it in a `with` block: leaving the block stops all tasks that still run."""

    @property
    def has_capacity(self) -> bool:
        """Whether it accepts another task now; its queue is short."""
        ...

    @property
    def is_idle(self) -> bool:
        """Whether all submitted tasks are finished."""
        ...

    def submit(self, task: Task) -> None:
        """Adds a task. The engine must have capacity."""
        ...

    def events(self, *, wait: bool) -> Iterator[Event]:
        """The events since the last call; with `wait` at least one, unless the engine is idle."""
        ...

    def cancel(self) -> None:
        """Stops all running tasks and drops all waiting ones."""
        ...

    def __enter__(self) -> Engine: ...

    def __exit__(self, *exception: object) -> None: ...


def to_user_error(task: Task, error: BaseException) -> VidrestoreError:
    """The error to show the user for a failed task."""
    if isinstance(error, VidrestoreError):
        return error
    if (known := to_system_error(error)) is not None:
        return ProcessingError(f"{task.name} could not be restored: {known}")
    what = f"{type(error).__name__}: {error}".replace("\n", " ")
    return ProcessingError(f"{task.name} could not be restored: {what}")


def run_task(task: Task, attempt: int) -> Iterator[TaskProgress | TaskDone | TaskFailed]:
    """Runs a task and yields its events, an error included. All engines use it."""
    message: Any = None
    try:
        for message in task.run(attempt):
            if isinstance(message, TaskProgress):
                yield message
    except Exception as error:
        yield TaskFailed(number=task.number, error=to_user_error(task, error))
    else:
        yield TaskDone(number=task.number, result=message)
