"""What engines run and what they say of it. An engine knows nothing of film."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from vidrestore.errors import ProcessingError, VidrestoreError
from vidrestore.runtime.system_errors import to_system_error

MAX_ATTEMPTS = 3
"""How often a task is begun whose worker is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskProgress:
    """A task is on its way."""

    number: int
    frames: int
    """Written so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDone:
    number: int
    result: Any
    """What the task said last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFailed:
    """The task ended in an error, which another attempt would meet as well, or in too many lost workers."""

    number: int
    error: VidrestoreError


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLost:
    """A worker died; its task is done again."""

    number: int
    why: str


Event = TaskProgress | TaskDone | TaskFailed | WorkerLost


class Task(Protocol):
    """A piece of work that can be pickled and does not mind being done twice."""

    @property
    def number(self) -> int: ...

    @property
    def name(self) -> str:
        """For messages."""
        ...

    def run(self, attempt: int) -> Iterator[Any]:
        """Yields `TaskProgress` now and then, and its result last."""
        ...


class Engine(Protocol):
    """Runs tasks somewhere. A context manager: leaving it ends whatever still runs."""

    @property
    def has_capacity(self) -> bool:
        """Whether it wants another task; it keeps few in hand."""
        ...

    @property
    def is_idle(self) -> bool:
        """Whether all it was given is done."""
        ...

    def submit(self, task: Task) -> None: ...

    def events(self, *, wait: bool) -> Iterator[Event]:
        """What has happened since; with `wait` at least one event, unless it is idle."""
        ...

    def cancel(self) -> None:
        """Forgets all it was given; what runs of it is ended."""
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
    """Runs a task to its end, whatever that is. All engines do it so."""
    message: Any = None
    try:
        for message in task.run(attempt):
            if isinstance(message, TaskProgress):
                yield message
    except Exception as error:
        yield TaskFailed(number=task.number, error=to_user_error(task, error))
    else:
        yield TaskDone(number=task.number, result=message)
