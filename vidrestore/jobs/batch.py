"""Restores all videos of a folder, each as `restore` would; a failure does not stop the others."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from vidrestore import video
from vidrestore.errors import (
    InputError,
    OutputError,
    ProcessingError,
    UsageError,
    WeightsError,
)
from vidrestore.jobs.batch_inputs import BatchItem, find_items
from vidrestore.jobs.batch_outcome import BatchProgress, Outcome, failed, restored, sentence
from vidrestore.jobs.batch_record import RECORD, BatchRecord
from vidrestore.jobs.batch_settings import check_batch_settings, chosen_settings, settings_for
from vidrestore.jobs.disk_space import check_free_space
from vidrestore.jobs.engines.make_engine import make_engine
from vidrestore.jobs.engines.protocol import Engine, TaskDone, TaskFailed
from vidrestore.jobs.file_task import FileTask, is_short
from vidrestore.jobs.fingerprint import fingerprint, with_absolute_paths
from vidrestore.jobs.reserved_files import check_reserved
from vidrestore.jobs.restore import restore_file
from vidrestore.runtime.file_kinds import absolute
from vidrestore.runtime.folders import make_folder
from vidrestore.settings import Settings
from vidrestore.types import Progress


def restore_folder(
    folder: Path,
    out: Path,
    settings: Settings,
    *,
    pattern: str | None = None,
    recursive: bool = False,
    retries: int = 1,
    reserved: Sequence[Path] = (),
    on_progress: Callable[[BatchProgress], None] | None = None,
) -> list[Outcome]:
    """The outcome of each file of `folder`, restored into `out`.

    Skips files that are finished, unless they or the settings have changed since. An error with one file
    becomes its outcome, and the batch continues.

    Args:
        folder: The folder of the inputs.
        out: The folder of the outputs; created if it does not exist.
        settings: For all files.
        pattern: A pattern of the inputs' names; None: the usual suffixes of videos and pictures.
        recursive: Whether to include the folders in `folder`.
        retries: Number of further attempts after a failure that may be temporary.
        reserved: Files that the caller will write: no output may have one of these names.
        on_progress: Called with the progress of a file, and with each outcome.

    Returns:
        The outcomes, sorted by name.

    Raises:
        VidrestoreError: For errors that concern all files.
    """
    check_batch_settings(settings)
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; check its name")
    find = partial(
        find_items,
        folder,
        out,
        pattern=pattern,
        recursive=recursive,
        extension=None if settings.container is None else _extension(settings.container),
    )
    find(existing_targets={})  # raises its errors before anything is created
    make_folder(out)
    with ExitStack() as stack:
        record = stack.enter_context(BatchRecord(out))
        items = find(existing_targets=record.targets())
        check_reserved(reserved, [out / RECORD, *(item.target for item in items)])
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
    """A file to restore."""

    item: BatchItem
    input_fingerprint: str
    settings: Settings


class _Batch:
    """The files of a run, and their outcomes so far."""

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
        """The work for a file; None if its outcome is known already.

        Raises WeightsError and UsageError, which are the same for all files.
        """
        if item.problem is not None:
            self._add_outcome(failed(item, item.problem, 0))
            return None
        try:
            return self._prepare(item)
        except (WeightsError, UsageError):
            raise
        except Exception as error:
            self._add_outcome(failed(item, error, 0))
            return None

    def restore(self, job: _FileJob) -> None:
        """Restores a file and records its outcome."""
        item = job.item
        if not self._start(job):
            return
        outcome = _attempts(
            item,
            job.settings,
            self._engine,
            self._retries,
            lambda progress: self._notify(item.name, progress),
        )
        self._finish(job, outcome)

    def restore_short_files(self, engine: Engine, jobs: list[_FileJob]) -> list[_FileJob]:
        """Restores the files that are too short for segments, one per worker at a time.

        Returns the others.
        """
        tasks = {number: job for number, job in enumerate(jobs) if is_short(job.item.source)}
        attempts: Counter[int] = Counter()
        waiting = deque(tasks)
        running: set[int] = set()
        try:
            while waiting or not engine.is_idle:
                while waiting and engine.has_capacity:
                    number = waiting.popleft()
                    attempts[number] += 1
                    if self._start(tasks[number]):
                        engine.submit(_task(number, tasks[number]))
                        running.add(number)
                for event in engine.events(wait=True):
                    if isinstance(event, TaskDone | TaskFailed):
                        running.discard(event.number)
                        if self._retry(event, tasks[event.number], attempts[event.number]):
                            waiting.append(event.number)
        finally:
            engine.cancel()
            for number in running:  # the engine stopped their workers
                video.remove_leftovers(tasks[number].item.target)
        return [job for number, job in enumerate(jobs) if number not in tasks]

    def _prepare(self, item: BatchItem) -> _FileJob | None:
        settings = settings_for(item.source, self._settings)
        input_fingerprint = json.dumps(
            fingerprint(absolute(item.source), with_absolute_paths(settings)), sort_keys=True
        )
        state = self._batch_record.state(item, input_fingerprint)
        if state == "done":
            self._add_outcome(Outcome(name=item.name, target=item.target, state="up to date"))
            return None
        if state == "foreign" and not self._settings.overwrite:
            why = f"{item.target} exists and was not written by this batch; add --overwrite to replace it"
            self._add_outcome(Outcome(name=item.name, target=item.target, state="skipped", message=why))
            return None
        make_folder(item.target.parent)
        # With other settings or another input, a file is restored from the beginning, without an error.
        changes = {
            "overwrite": state != "new",
            "restart": self._batch_record.started_fingerprint(item) != input_fingerprint,
        }
        return _FileJob(
            item=item, input_fingerprint=input_fingerprint, settings=settings.model_copy(update=changes)
        )

    def _retry(self, event: TaskDone | TaskFailed, job: _FileJob, tried: int) -> bool:
        """Whether to try the file again; otherwise its outcome is recorded."""
        if isinstance(event, TaskDone):
            self._finish(job, restored(job.item, event.result, tried))
            return False
        if isinstance(event.error, ProcessingError) and tried <= self._retries:
            return True
        video.remove_leftovers(job.item.target)  # a worker that died has not removed them
        self._finish(job, failed(job.item, event.error, tried))
        return False

    def _start(self, job: _FileJob) -> bool:
        """Whether the file can be restored; if not, the error is its outcome."""
        try:
            expected_bytes = job.item.source.stat().st_size if self._settings.codec == "match" else 0
            check_free_space(job.item.target.parent, job.item.target, expected_bytes)
            self._batch_record.start(job.item, job.input_fingerprint)
        except Exception as error:
            self._add_outcome(failed(job.item, error, 0))
            return False
        return True

    def _finish(self, job: _FileJob, outcome: Outcome) -> None:
        if outcome.state in ("restored", "damaged"):
            try:
                self._batch_record.finish(job.item, job.input_fingerprint)
            except Exception as error:
                unrecorded = f"this result could not be recorded for the next run: {sentence(error)}"
                outcome = replace(outcome, message="; ".join(filter(None, [outcome.message, unrecorded])))
        self._add_outcome(replace(outcome, settings=chosen_settings(job.settings)))

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
        source=absolute(job.item.source),
        target=absolute(job.item.target),
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
            return restored(
                item, restore_file(item.source, item.target, settings, on_progress, engine), attempt
            )
        except (UsageError, InputError, OutputError) as error:
            return failed(item, error, attempt)
        except Exception as error:
            outcome = failed(item, error, attempt)
        settings = settings.model_copy(update={"restart": False})
    return outcome


def _uses_one_engine(settings: Settings) -> bool:
    """Whether one engine, whose workers load the networks once, restores all files."""
    return (settings.workers or 1) > 1 or settings.engine != "local"


def _extension(container: str) -> str:
    return {"matroska": ".mkv", "mpegts": ".ts"}.get(container.lower(), f".{container.lower().lstrip('.')}")
