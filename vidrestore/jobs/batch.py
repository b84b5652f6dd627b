"""A folder of videos restored one after the other, each as `restore` would; what fails stops no other."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vidrestore.errors import InputError, OutputError, UsageError, VidrestoreError
from vidrestore.jobs.database import Database
from vidrestore.jobs.engines import make_engine
from vidrestore.jobs.film import restore_film
from vidrestore.jobs.folder import Item, find_items
from vidrestore.jobs.identity import fingerprint, pinned
from vidrestore.jobs.space import check_before
from vidrestore.jobs.tasks import Engine
from vidrestore.settings import Settings
from vidrestore.types import Progress, Report

State = Literal["restored", "damaged", "done before", "left alone", "failed"]
RECORD = ".vidrestore-batch"
"""In the output folder: which output was made of what, and how."""
MUCH_DAMAGE = 0.01
_TABLE = """
CREATE TABLE IF NOT EXISTS files (
    name TEXT PRIMARY KEY, target TEXT NOT NULL, made_of TEXT, size INTEGER, changed INTEGER
);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a file."""

    name: str
    target: Path
    state: State
    sentence: str = ""
    """Why it failed or was left alone; warnings."""
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
        made = stack.enter_context(_Made(out))
        items = find_items(
            folder,
            out,
            pattern=pattern,
            recursive=recursive,
            extension=None if settings.container is None else _extension(settings.container),
            earlier=made.targets(),
        )
        engine = stack.enter_context(make_engine(settings)) if _shares_out(settings) else None
        outcomes: list[Outcome] = []
        for number, item in enumerate(items, 1):

            def say(
                file: Progress | None, outcome: Outcome | None = None, number: int = number, item: Item = item
            ) -> None:
                if on_progress is not None:
                    failed = sum(o.state == "failed" for o in outcomes)
                    on_progress(
                        BatchProgress(
                            number=number,
                            total=len(items),
                            name=item.name,
                            failed=failed,
                            file=file,
                            outcome=outcome,
                        )
                    )

            outcomes.append(_one(item, made, settings, engine, retries, say))
            say(None, outcomes[-1])
        return outcomes


def _one(
    item: Item,
    made: _Made,
    settings: Settings,
    engine: Engine | None,
    retries: int,
    say: Callable[[Progress], None],
) -> Outcome:
    try:
        made_of = json.dumps(fingerprint(item.source.absolute(), pinned(settings)), sort_keys=True)
    except InputError as error:
        return Outcome(name=item.name, target=item.target, state="failed", sentence=str(error))
    state = made.state(item, made_of)
    if state == "done":
        return Outcome(name=item.name, target=item.target, state="done before")
    if state == "foreign" and not settings.overwrite:
        why = f"{item.target} exists already and was not made here; add --overwrite to replace it"
        return Outcome(name=item.name, target=item.target, state="left alone", sentence=why)
    item.target.parent.mkdir(parents=True, exist_ok=True)
    check_before(item.target.parent, item.target, item.source.stat().st_size if _is_alike(settings) else 0)
    # What was begun with other settings or of another input is begun anew: nobody is here to be asked.
    how = settings.model_copy(update={"overwrite": state != "new", "restart": made.begun(item) != made_of})
    made.begin(item, made_of)
    outcome = _attempts(item, how, engine, retries, say)
    if outcome.state in ("restored", "damaged"):
        made.finish(item, made_of)
    return outcome


def _attempts(
    item: Item, how: Settings, engine: Engine | None, retries: int, say: Callable[[Progress], None]
) -> Outcome:
    for attempt in range(1, retries + 2):
        try:
            return _outcome(item, restore_film(item.source, item.target, how, say, engine), attempt)
        except (UsageError, InputError, OutputError) as error:
            return _failed(item, error, attempt)
        except VidrestoreError as error:
            failed = _failed(item, error, attempt)
        except Exception as error:
            what = f"{type(error).__name__}: {error}".replace("\n", " ")
            failed = _failed(item, f"this is a defect of vidrestore: {what}", attempt)
        how = how.model_copy(update={"restart": False})
    return failed


def _outcome(item: Item, report: Report, attempts: int) -> Outcome:
    return Outcome(
        name=item.name,
        target=item.target,
        state="damaged" if report.damage > MUCH_DAMAGE else "restored",
        sentence="; ".join(report.warnings),
        frames=report.frames,
        faces=report.faces,
        seconds=report.seconds,
        attempts=attempts,
    )


def _failed(item: Item, error: object, attempts: int) -> Outcome:
    return Outcome(name=item.name, target=item.target, state="failed", sentence=str(error), attempts=attempts)


class _Made:
    """The record of an output folder: what it holds was made of what. One run at a time has it."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._database = Database(out / RECORD, out, _TABLE)
        self._connection = self._database.connection

    def __enter__(self) -> _Made:
        return self

    def __exit__(self, *exception: object) -> None:
        self._database.close()

    def targets(self) -> dict[str, str]:
        """Outputs by the names of their inputs, within their folders."""
        with self._database.sentences():
            return dict(self._connection.execute("SELECT name, target FROM files"))

    def state(self, item: Item, made_of: str) -> Literal["new", "done", "stale", "foreign"]:
        """Whether the output is there, and made of this input with these settings."""
        if not item.target.exists():
            return "new"
        row = self._row(item)
        stat = item.target.stat()
        if row is None or row[1:] != (stat.st_size, stat.st_mtime_ns):
            return "foreign"
        return "done" if row[0] == made_of else "stale"

    def begun(self, item: Item) -> str | None:
        """Of what the output was last begun."""
        row = self._row(item)
        return None if row is None else row[0]

    def begin(self, item: Item, made_of: str) -> None:
        self._put(item, made_of, None, None)

    def finish(self, item: Item, made_of: str) -> None:
        stat = item.target.stat()
        self._put(item, made_of, stat.st_size, stat.st_mtime_ns)

    def _row(self, item: Item) -> tuple[str, int | None, int | None] | None:
        query = "SELECT made_of, size, changed FROM files WHERE name = ?"
        with self._database.sentences():
            row: tuple[str, int | None, int | None] | None = self._connection.execute(
                query, (item.name,)
            ).fetchone()
        return row

    def _put(self, item: Item, made_of: str, size: int | None, changed: int | None) -> None:
        target = item.target.relative_to(self._out).as_posix()
        with self._database.sentences(), self._connection:
            self._connection.execute(
                "REPLACE INTO files VALUES (?, ?, ?, ?, ?)", (item.name, target, made_of, size, changed)
            )


def _shares_out(settings: Settings) -> bool:
    """Whether one engine, with its workers' networks loaded, serves all files."""
    return (settings.workers or 1) > 1 or settings.engine != "local"


def _is_alike(settings: Settings) -> bool:
    return settings.codec == "match"


def _extension(container: str) -> str:
    return {"matroska": ".mkv", "mpegts": ".ts"}.get(container.lower(), f".{container.lower().lstrip('.')}")
