"""A journal that was edited, damaged or replaced is noticed: one error message, and nothing is lost."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

import vidrestore
from tests.support.jobs import SEGMENTS, assert_equal, interrupted_run, names_in
from tests.support.user_files import snapshot
from vidrestore.errors import OutputError, UsageError, VidrestoreError

FLIPS = 40


@dataclass(frozen=True)
class Run:
    """An interrupted run, which can be had back as it was."""

    source: Path
    output: Path
    saved: Path

    @property
    def journal(self) -> Path:
        return self.output.with_name(".out.mkv.vidrestore")

    @property
    def parts(self) -> Path:
        return self.output.with_name(".out.mkv.vidrestore-parts")

    def reset(self) -> None:
        """Puts the journal and the parts back."""
        for path in (self.output, self.journal):
            path.unlink(missing_ok=True)
        shutil.rmtree(self.parts, ignore_errors=True)
        shutil.copy2(self.saved / self.journal.name, self.journal)
        shutil.copytree(self.saved / self.parts.name, self.parts)


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("run")
    source, output = interrupted_run(folder)
    saved = tmp_path_factory.mktemp("saved")
    run = Run(source, output, saved)
    shutil.copy2(run.journal, saved)
    shutil.copytree(run.parts, saved / run.parts.name)
    return run


@pytest.fixture
def run(interrupted: Run) -> Iterator[Run]:
    interrupted.reset()
    yield interrupted
    interrupted.reset()


def refused(run: Run) -> None:
    """Each command that might resume it refuses with a sentence, and changes no other file."""
    before = snapshot(run.output.parent)
    for go_on in (
        lambda: vidrestore.resume(run.output),
        lambda: vidrestore.restore(run.source, run.output, **SEGMENTS),
    ):
        with pytest.raises((OutputError, UsageError)) as caught:
            go_on()
        assert "\n" not in str(caught.value)
        words = "is damaged or was not written by vidrestore; delete it", "there is no unfinished run"
        assert any(word in str(caught.value) for word in words), str(caught.value)
    assert isinstance(caught.value, OutputError)
    after = snapshot(run.output.parent)
    assert after.pop(run.journal.name)
    assert after == {name: found for name, found in before.items() if name != run.journal.name}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE about SET value = 'x' WHERE name = 'version'",
        "UPDATE about SET value = '1' WHERE name = 'format'",
        "UPDATE about SET value = '{' WHERE name = 'settings'",
        "UPDATE about SET value = '[]' WHERE name = 'settings'",
        "UPDATE about SET value = '/etc/passwd' WHERE name = 'input'",
        "UPDATE about SET value = x'00ff' WHERE name = 'input'",
        "UPDATE about SET value = 5 WHERE name = 'model'",
        "DELETE FROM about WHERE name = 'input'",
        "DELETE FROM about WHERE name = 'version'",
        "DELETE FROM about WHERE name = 'settings'",
        "REPLACE INTO about VALUES ('ended', 'soon', 0)",
        "REPLACE INTO about VALUES ('ended', '-1', NULL)",
        "UPDATE segments SET first = -1 WHERE number = 0",
        "UPDATE segments SET stop = 9223372036854775807 WHERE number = 0",
        "UPDATE segments SET stop = 'many' WHERE number = 0",
        "UPDATE segments SET number = 7 WHERE number = 0",
        "UPDATE segments SET file = '../../in.mkv'",
        "UPDATE segments SET file = x'ff', bytes = 'b'",
        "UPDATE segments SET stage_seconds = '[1'",
        "UPDATE segments SET bytes = NULL",
        "UPDATE frames SET faces = 'text'",
        "UPDATE frames SET faces = x'00'",
        "UPDATE frames SET pts = 'late'",
        "UPDATE frames SET scenes = 'a,b'",
        "UPDATE frames SET scenes = NULL",
        "UPDATE frames SET checksum = 1.5",
        "UPDATE frames SET digest = NULL",
        "DELETE FROM frames WHERE number = 40",
        "DELETE FROM frames WHERE number > 30",
        "DELETE FROM frames WHERE number < 5",
        "DELETE FROM frames",
        "DROP TABLE frames",
        "DROP TABLE about",
        "ALTER TABLE segments RENAME COLUMN stop TO till",
        "CREATE VIEW more AS SELECT * FROM frames",
        "CREATE TRIGGER t AFTER UPDATE ON segments BEGIN DELETE FROM frames; END",
        "PRAGMA application_id = 0",
    ],
)
def test_an_edited_journal_is_noticed(run: Run, statement: str) -> None:
    with closing(sqlite3.connect(run.journal)) as connection, connection:
        connection.execute(statement)
    refused(run)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.9, 0.999])
def test_a_journal_cut_short_is_noticed(run: Run, share: float) -> None:
    content = run.journal.read_bytes()
    run.journal.write_bytes(content[: int(len(content) * share)])
    refused(run)


def test_a_flipped_bit_is_noticed_or_changes_nothing(run: Run) -> None:
    chance = random.Random(3)
    content = run.journal.read_bytes()
    noticed = 0
    for _ in range(FLIPS):
        run.reset()
        changed = bytearray(content)
        for _ in range(chance.choice((1, 1, 20))):
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        run.journal.write_bytes(changed)
        try:
            with pytest.MonkeyPatch.context() as patch, suppress(JournalReadError):
                # What is read of the journal is enough here; the film is not restored.
                patch.setattr(
                    "vidrestore.jobs.segmented_restore._run", lambda job, journal, *_: read_all(journal)
                )
                vidrestore.restore(run.source, run.output, **SEGMENTS)
        except VidrestoreError as error:
            noticed += "damaged" in str(error)
    assert noticed > FLIPS // 4


class JournalReadError(Exception):
    """Ends a restoration whose journal has been read."""


def read_all(journal: vidrestore.jobs.journal.Journal) -> NoReturn:
    """Whatever the journal is asked."""
    journal.segments()
    journal.totals()
    journal.seconds_by_stage()
    journal.checkpoint()
    journal.analysed_frames()
    raise JournalReadError


def test_a_damaged_part_is_restored_again(run: Run) -> None:
    (part,) = run.parts.glob("*.part")
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.write_bytes(content)
    assert vidrestore.resume(run.output).frames == 90
    assert_equal(run.source, run.output)
    assert names_in(run.output.parent) == ["in.mkv", "out.mkv"]


def test_a_folder_of_parts_without_a_journal_does_not_prevent_a_new_run(run: Run) -> None:
    """As the error message advises: delete it."""
    run.journal.unlink()
    assert vidrestore.restore(run.source, run.output, **SEGMENTS).frames == 90
    assert_equal(run.source, run.output)
    assert names_in(run.output.parent) == ["in.mkv", "out.mkv"]


def test_a_video_whose_parts_are_missing_is_restored_again(run: Run) -> None:
    shutil.rmtree(run.parts)
    assert vidrestore.restore(run.source, run.output, **SEGMENTS).frames == 90
    assert names_in(run.output.parent) == ["in.mkv", "out.mkv"]
