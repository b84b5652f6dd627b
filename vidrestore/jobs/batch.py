"""A folder of videos restored one after the other, each as `restore` would; what fails stops no other."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vidrestore.errors import InputError, OutputError, ProcessingError, ReadError, UsageError, VidrestoreError
from vidrestore.jobs.batch_inputs import BatchItem, find_items
from vidrestore.jobs.batch_record import BatchRecord
from vidrestore.jobs.disk_space import check_free_space
from vidrestore.jobs.engines.make_engine import make_engine
from vidrestore.jobs.engines.protocol import Engine, TaskDone, TaskFailed
from vidrestore.jobs.file_task import FileTask, is_short
from vidrestore.jobs.fingerprint import fingerprint, with_absolute_paths
from vidrestore.jobs.restore import restore_file
from vidrestore.settings import Settings
from vidrestore.types import Progress, Report

State = Literal["restored", "damaged", "up to date", "skipped", "failed"]
MUCH_DAMAGE = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a file."""

    name: str
    target: Path
    state: State
    message: str = ""
    """Why it failed or was skipped; warnings."""
    frames: int = 0
    faces: int = 0
    seconds: float = 0.0
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchProgress:
    """What a display reads."""

    number: int
    """Of the file, from 1."""
    total: int
    name: str
    failed: int
    """So far."""
    file: Progress | None
    """How far the file is; None: it has an outcome."""
    outcome: Outcome | None = None


def restore_folder(
    folder: Path,
    out: Path,
    settings: Settings,
    *,
    pattern: str | None = None,
    recursive: bool = False,
    retries: int = 1,
    on_progress: Callable[[BatchProgress], None] | None = None,
) -> list[Outcome]:
    """What came of each file of `folder`, restored into `out`, which is made if it is not there.

    Files that are done are not done again, unless they or the settings have changed since. `retries`: of what
    another attempt may mend. Raises a VidrestoreError for what concerns all files.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"the folder {out} cannot be made: {error.strerror or error}") from error
    with ExitStack() as stack:
        record = stack.enter_context(BatchRecord(out))
        items = find_items(
            folder,
            out,
            pattern=pattern,
            recursive=recursive,
            extension=None if settings.container is None else _extension(settings.container),
            existing_targets=record.targets(),
        )
        engine = stack.enter_context(make_engine(settings)) if _uses_one_engine(settings) else None
        run = _Batch(record, settings, engine, retries, len(items), on_progress)
        todo = [job for item in items if (job := run.prepare(item)) is not None]
        if engine is not None:
            todo = run.restore_short_files(engine, todo)
        for job in todo:
            run.restore(job)
        return sorted(run.outcomes, key=lambda outcome: outcome.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class _FileJob:
    """A file that is to be restored."""

    item: BatchItem
    input_fingerprint: str
    settings: Settings


class _Batch:
    """The files of a run, and what came of them so far."""

    def __init__(
        self,
        record: BatchRecord,
        settings: Settings,
        engine: Engine | None,
        retries: int,
        total: int,
        on_progress: Callable[[BatchProgress], None] | None,
    ) -> None:
        self.outcomes: list[Outcome] = []
        self._batch_record, self._settings, self._engine = record, settings, engine
        self._retries, self._total, self._on_progress = retries, total, on_progress

    def prepare(self, item: BatchItem) -> _FileJob | None:
        """What is to be done for a file; None where its outcome is clear already."""
        try:
            input_fingerprint = json.dumps(
                fingerprint(item.source.absolute(), with_absolute_paths(self._settings)), sort_keys=True
            )
        except (InputError, ReadError) as error:
            self._add_outcome(_failed(item, error, 0))
            return None
        state = self._batch_record.state(item, input_fingerprint)
        if state == "done":
            self._add_outcome(Outcome(name=item.name, target=item.target, state="up to date"))
            return None
        if state == "foreign" and not self._settings.overwrite:
            why = f"{item.target} exists already and was not made here; add --overwrite to replace it"
            self._add_outcome(Outcome(name=item.name, target=item.target, state="skipped", message=why))
            return None
        item.target.parent.mkdir(parents=True, exist_ok=True)
        # What was begun with other settings or of another input is begun anew: nobody is here to be asked.
        changes = {
            "overwrite": state != "new",
            "restart": self._batch_record.started_fingerprint(item) != input_fingerprint,
        }
        return _FileJob(
            item=item, input_fingerprint=input_fingerprint, settings=self._settings.model_copy(update=changes)
        )

    def restore(self, job: _FileJob) -> None:
        """Restores a file to its outcome."""
        item = job.item
        self._start(job)
        outcome = _attempts(
            item,
            job.settings,
            self._engine,
            self._retries,
            lambda progress: self._notify(item.name, progress),
        )
        self._finish(job, outcome)

    def restore_short_files(self, engine: Engine, jobs: list[_FileJob]) -> list[_FileJob]:
        """Restores the files that are not worth segments, as many at a time as there are workers.

        Gives back the others.
        """
        tasks = {number: job for number, job in enumerate(jobs) if is_short(job.item.source)}
        attempts: Counter[int] = Counter()
        waiting = deque(tasks)
        while waiting or not engine.is_idle:
            while waiting and engine.has_capacity:
                number = waiting.popleft()
                attempts[number] += 1
                self._start(tasks[number])
                engine.submit(_task(number, tasks[number]))
            for event in engine.events(wait=True):
                if not isinstance(event, TaskDone | TaskFailed):
                    continue
                job, tried = tasks[event.number], attempts[event.number]
                if isinstance(event, TaskDone):
                    self._finish(job, _outcome(job.item, event.result, tried))
                elif isinstance(event.error, ProcessingError) and tried <= self._retries:
                    waiting.append(event.number)
                else:
                    self._finish(job, _failed(job.item, event.error, tried))
        return [job for number, job in enumerate(jobs) if number not in tasks]

    def _start(self, job: _FileJob) -> None:
        expected_bytes = job.item.source.stat().st_size if self._settings.codec == "match" else 0
        check_free_space(job.item.target.parent, job.item.target, expected_bytes)
        self._batch_record.start(job.item, job.input_fingerprint)

    def _finish(self, job: _FileJob, outcome: Outcome) -> None:
        if outcome.state in ("restored", "damaged"):
            self._batch_record.finish(job.item, job.input_fingerprint)
        self._add_outcome(outcome)

    def _add_outcome(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self._notify(outcome.name, None, outcome)

    def _notify(self, name: str, file: Progress | None, outcome: Outcome | None = None) -> None:
        if self._on_progress is None:
            return
        failed = sum(o.state == "failed" for o in self.outcomes)
        number = len(self.outcomes) + (outcome is None)
        self._on_progress(
            BatchProgress(
                number=number, total=self._total, name=name, failed=failed, file=file, outcome=outcome
            )
        )


def _task(number: int, job: _FileJob) -> FileTask:
    alone = {"workers": None, "engine": "local", "segment": 0.0}
    return FileTask(
        number=number,
        source=job.item.source.absolute(),
        target=job.item.target.absolute(),
        settings=with_absolute_paths(job.settings.model_copy(update=alone)),
    )


def _attempts(
    item: BatchItem,
    settings: Settings,
    engine: Engine | None,
    retries: int,
    on_progress: Callable[[Progress], None],
) -> Outcome:
    for attempt in range(1, retries + 2):
        try:
            return _outcome(
                item, restore_file(item.source, item.target, settings, on_progress, engine), attempt
            )
        except (UsageError, InputError, OutputError) as error:
            return _failed(item, error, attempt)
        except VidrestoreError as error:
            failed = _failed(item, error, attempt)
        except Exception as error:
            what = f"{type(error).__name__}: {error}".replace("\n", " ")
            failed = _failed(item, f"this is a defect of vidrestore: {what}", attempt)
        settings = settings.model_copy(update={"restart": False})
    return failed


def _outcome(item: BatchItem, report: Report, attempts: int) -> Outcome:
    return Outcome(
        name=item.name,
        target=item.target,
        state="damaged" if report.damage > MUCH_DAMAGE else "restored",
        message="; ".join(report.warnings),
        frames=report.frames,
        faces=report.faces,
        seconds=report.seconds,
        attempts=attempts,
    )


def _failed(item: BatchItem, error: object, attempts: int) -> Outcome:
    return Outcome(name=item.name, target=item.target, state="failed", message=str(error), attempts=attempts)


def _uses_one_engine(settings: Settings) -> bool:
    """Whether one engine, with its workers' networks loaded, serves all files."""
    return (settings.workers or 1) > 1 or settings.engine != "local"


def _extension(container: str) -> str:
    return {"matroska": ".mkv", "mpegts": ".ts"}.get(container.lower(), f".{container.lower().lstrip('.')}")
