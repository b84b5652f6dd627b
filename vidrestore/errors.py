"""Errors that a user can cause or fix. Each has a message of one sentence.

    VidrestoreError
    ├── UsageError            wrong settings or arguments              exit code 2
    │   └── DeviceError       the requested device is not available
    ├── InputError            the input cannot be used                 exit code 2
    │   └── DamagedInputError the input is damaged, and --strict is set
    ├── OutputError           the output cannot be written              exit code 2
    ├── WeightsError          weights are missing, damaged or of another network   exit code 2
    │   └── DownloadError     weights could not be fetched             exit code 1
    ├── ProcessingError       the work started and failed              exit code 1
    │   └── ReadError         the disk or network failed; the next try may succeed
    └── CancelledError        the caller or Ctrl-C ended the work             exit code 130

Everything else is a defect of the program and keeps its traceback.
"""

from __future__ import annotations

import reprlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class VidrestoreError(Exception):
    """One sentence for the user: what was attempted, on what, and what to try."""

    exit_code = 1


class UsageError(VidrestoreError):
    """Settings or arguments are wrong."""

    exit_code = 2


class DeviceError(UsageError):
    """The requested device is not available."""


class InputError(VidrestoreError):
    """The input is missing, is not a video, or has no frame that can be decoded."""

    exit_code = 2


class DamagedInputError(InputError):
    """Part of the input cannot be decoded, and `strict` is set."""


class OutputError(VidrestoreError):
    """The output exists, has no folder, equals the input, or cannot hold the video."""

    exit_code = 2


class WeightsError(VidrestoreError):
    """Weights are missing, damaged, or belong to another network."""

    exit_code = 2


class DownloadError(WeightsError):
    """Weights could not be fetched or do not match their checksum."""

    exit_code = 1


class ProcessingError(VidrestoreError):
    """The work started and could not be finished; there is no output."""


class ReadError(ProcessingError):
    """The operating system failed to read the input; the file itself may be fine."""

    @classmethod
    def of(cls, name: Path | str, error: OSError) -> ReadError:
        """The error for a file of this name; `error` is the operating system's."""
        return cls(
            f"{name} cannot be read: {error.strerror or error}; check the disk or the network it is on, then "
            "try again"
        )


class CancelledError(VidrestoreError):
    """The caller ended the run; there is no output, and finished segments are kept for `resume`."""

    exit_code = 130


def shown(value: object) -> str:
    """A short text of a wrong value for a message. The value may be very large or contain itself."""
    brief = reprlib.Repr()
    brief.maxlevel, brief.maxstring, brief.maxother = 2, 60, 60
    return brief.repr(value)
