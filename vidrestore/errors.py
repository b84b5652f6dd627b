"""What a user can cause or fix, one sentence each.

    VidrestoreError
    ├── UsageError            wrong settings or arguments              exit code 2
    │   └── DeviceError       the device asked for is not there
    ├── InputError            the input cannot be used                 exit code 2
    │   └── DamagedInputError the input is damaged, and --strict was asked for
    ├── OutputError           the output may not or cannot be written  exit code 2
    ├── WeightsError          weights missing, damaged or of another network   exit code 2
    │   └── DownloadError     weights could not be fetched             exit code 1
    ├── ProcessingError       the work began and failed                exit code 1
    │   └── ReadError         the disk or network of the input failed, and may not the next time
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
    """Settings or arguments that cannot be meant."""

    exit_code = 2


class DeviceError(UsageError):
    """The device asked for is not available here."""


class InputError(VidrestoreError):
    """The input is missing, is not a video, or holds nothing that decodes."""

    exit_code = 2


class DamagedInputError(InputError):
    """Part of the input cannot be decoded, and the user wants all or nothing."""


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
    """The work began and could not be finished; no output was left behind."""


class ReadError(ProcessingError):
    """The system could not read the input, of which nothing is known to be wrong."""

    @classmethod
    def of(cls, name: Path | str, error: OSError) -> ReadError:
        return cls(
            f"{name} cannot be read: {error.strerror or error}; check the disk or the network it is on, then "
            "try again"
        )


class CancelledError(VidrestoreError):
    """The caller ended the run; there is no output, and finished segments are kept for `resume`."""

    exit_code = 130


def shown(value: object) -> str:
    """A wrong value in a few words: it may be large, or hold itself, or say in a line what takes pages."""
    brief = reprlib.Repr()
    brief.maxlevel, brief.maxstring, brief.maxother = 2, 60, 60
    return brief.repr(value)
