"""Report files. They replace only earlier reports of the same kind."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vidrestore.errors import OutputError
from vidrestore.runtime.file_kinds import is_same_file, kind_of, location
from vidrestore.runtime.marked_folder import temporary_name
from vidrestore.runtime.put_in_place import check_replaceable, put_in_place

CSV_BEGIN = b"name,frame,seconds,face,"
"""First columns of a CSV file by `vidrestore evaluate`."""
MAX_BYTES = 256 * 2**20
"""No report is larger."""
_OUTCOME_NAMES = {"name", "target", "state", "message", "frames", "faces", "seconds", "attempts"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFile:
    """A report at `path`, which may replace a file for whose content `is_earlier` is true."""

    path: Path
    is_earlier: Callable[[bytes], bool]
    reason: str = "is not an earlier report"
    """Why a file that exists is not replaced."""

    def check(self) -> None:
        """Checks that the report can be written without destroying something.

        Raises:
            OutputError: It cannot.
        """
        try:
            self._check()
        except OSError as error:
            raise self._cannot_write(error) from error

    def write(self, content: str | bytes) -> None:
        """Writes the report, complete or not at all.

        Raises:
            OutputError: It cannot be written.
        """
        self.check()
        new = self.path.with_name(temporary_name(".", self.path.name, self.path.parent))
        try:
            descriptor = os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
            # File names that are not valid Unicode are escaped as in JSON.
            data = content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace")
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            put_in_place(new, self.path, overwrite=kind_of(self.path) == "file")
        except OSError as error:
            raise self._cannot_write(error) from error
        finally:
            with suppress(OSError):
                new.unlink(missing_ok=True)

    def _check(self) -> None:
        if not self.path.parent.is_dir():
            raise OutputError(f"the folder {self.path.parent} does not exist; create it or choose another")
        check_replaceable(self.path)
        if kind_of(self.path) == "file" and not self._holds_earlier():
            raise OutputError(f"{self.path} exists and {self.reason}; choose another name")

    def _holds_earlier(self) -> bool:
        if self.path.stat().st_size > MAX_BYTES:
            return False
        try:
            return self.is_earlier(self.path.read_bytes())
        except (ValueError, RecursionError):
            return False

    def _cannot_write(self, error: OSError) -> OutputError:
        return OutputError(f"cannot write {self.path}: {error.strerror or error}")


def batch_report(path: Path) -> ReportFile:
    """The report of `vidrestore batch`."""
    return ReportFile(path=path, is_earlier=_is_batch_report)


def json_report(path: Path, made_by: str) -> ReportFile:
    """A JSON report; earlier ones are recognised by their `made_by`, such as `vidrestore inspect`."""
    return ReportFile(path=path, is_earlier=lambda content: _is_made_by(content, made_by))


def page_report(path: Path, made_by: str) -> ReportFile:
    """An HTML report; earlier ones are recognised by their `generator`."""
    return ReportFile(path=path, is_earlier=lambda content: generator(made_by).encode() in content[:1000])


def png_report(path: Path, made_by: str) -> ReportFile:
    """A PNG report; earlier ones are recognised by their text `Software`."""
    sign = b"tEXtSoftware\0" + made_by.encode()
    return ReportFile(path=path, is_earlier=lambda content: sign in content[:1000])


def new_file(path: Path) -> ReportFile:
    """A sidecar, which a user will edit: it replaces nothing."""
    return ReportFile(
        path=path,
        is_earlier=lambda _: False,
        reason="may be a sidecar with your changes, which is never replaced",
    )


def csv_report(path: Path) -> ReportFile:
    """The CSV report of `vidrestore evaluate`; earlier ones are recognised by their first columns."""
    return ReportFile(path=path, is_earlier=lambda content: content.startswith(CSV_BEGIN))


def generator(made_by: str) -> str:
    """The HTML tag that names the command which made a page."""
    return f'<meta name="generator" content="{made_by}">'


def check_reports(*reports: ReportFile) -> None:
    """Checks all reports before the work.

    Raises:
        OutputError: One of them cannot be written, or two are the same file.
    """
    for number, report in enumerate(reports):
        report.check()
        for other in reports[:number]:
            same = location(report.path) == location(other.path)
            if same or is_same_file(report.path, other.path):
                raise OutputError(f"{report.path} is given for two reports; choose another name for one")


def _is_batch_report(content: bytes) -> bool:
    rows = json.loads(content)
    if not isinstance(rows, list) or not rows:
        return False
    return all(isinstance(row, dict) and row.keys() >= _OUTCOME_NAMES for row in rows)


def _is_made_by(content: bytes, made_by: str) -> bool:
    found = json.loads(content)
    return isinstance(found, dict) and found.get("made_by") == made_by
