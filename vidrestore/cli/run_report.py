"""The report of a run as a JSON file: `vidrestore restore --report` writes it, `inspect` can read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from vidrestore.cli.report_file import MAX_BYTES, ReportFile, json_report
from vidrestore.errors import UsageError

if TYPE_CHECKING:
    from vidrestore.types import Report

MADE_BY = "vidrestore restore"
"""Value of `made_by`, which identifies the file."""


def run_report(path: Path | None) -> ReportFile | None:
    """The report file of a run.

    Args:
        path: Its path; None: no report.

    Returns:
        The report file; None: no report.

    Raises:
        OutputError: It cannot be written there.
    """
    if path is None:
        return None
    report = json_report(path, MADE_BY)
    report.check()
    return report


def run_report_json(report: Report) -> str:
    """The report as JSON."""
    from vidrestore.report import report_to_dict

    return json.dumps({"made_by": MADE_BY, **report_to_dict(report)}, indent=2) + "\n"


def read_run_report(path: Path) -> Report:
    """The report that a run wrote to `path`.

    Raises:
        UsageError: There is no such report.
    """
    from vidrestore.report import report_from_dict

    try:
        with path.open("rb") as file:  # not necessarily of this size, or of any: it may be a device
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise UsageError(f"{path} is no report: it is larger than {MAX_BYTES >> 20} MiB")
        values = json.loads(content)
        if values.pop("made_by") != MADE_BY:
            raise UsageError(f"{path} is not a report of vidrestore restore --report")
        return report_from_dict(values, Path(values["output"]))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise UsageError(f"{path} is not a report of vidrestore restore --report") from error
