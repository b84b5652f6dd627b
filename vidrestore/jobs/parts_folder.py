"""The folder beside an output that stores its finished segments until they are joined."""

from __future__ import annotations

import re
from pathlib import Path

from vidrestore import video
from vidrestore.errors import OutputError
from vidrestore.jobs.journal import Segment, journal_path
from vidrestore.runtime.file_kinds import is_own_kind, kind_of
from vidrestore.runtime.marked_folder import MarkedFolder, is_marked

_OWN_NAMES = re.compile(r"\d{5,9}-\d{1,4}\.part(\.new)?|joined(\.[^/]{1,15})?")
_LONGEST_SUFFIX = 16


class PartsFolder:
    """The folder of one output. Only files with this program's names are ever removed from it."""

    def __init__(self, output: Path) -> None:
        journal = journal_path(output)
        self.path = journal.with_name(f"{journal.name}-parts")
        suffix = output.suffix if len(output.suffix) <= _LONGEST_SUFFIX else ""
        self.joined = self.path / f"joined{suffix}"
        """The file that the joined output is written to."""
        self._folder = MarkedFolder(
            self.path, lambda name: _OWN_NAMES.fullmatch(name) is not None, is_kept=True
        )

    def open(self, *, is_new_run: bool) -> None:
        """Creates the folder, or reuses that of an interrupted run.

        Args:
            is_new_run: Whether to start with an empty folder.

        Raises:
            OutputError: The name is taken by something else, or the folder cannot be created.
        """
        if is_new_run:
            self.remove()
        try:
            if kind_of(self.path) == "missing":
                self._folder.create()
            elif is_own_kind(self.path, "folder") and not is_new_run and not any(self.path.iterdir()):
                self._folder.mark()  # its run was killed before it could do so
        except OSError as error:
            raise OutputError(f"cannot create the folder {self.path}: {error.strerror or error}") from error
        if not is_marked(self.path):
            raise OutputError(
                f"{self.path} is in the way: finished segments go into a folder of that name; move it away"
            )

    def remove_unfinished(self, finished: set[str]) -> None:
        """Removes unfinished files of an earlier run: all but the `finished` parts."""
        video.remove_leftovers(self.joined)
        for path in self.path.iterdir():
            if path.name not in finished and _OWN_NAMES.fullmatch(path.name) and is_own_kind(path, "file"):
                path.unlink()

    def holds(self, segment: Segment) -> bool:
        """Whether the segment's part exists, is complete, and matches the journal."""
        if segment.file is None:
            return False
        path = self.path / segment.file
        return is_own_kind(path, "file") and video.is_whole_segment(path, segment.bytes, segment.crc)

    def remove(self) -> None:
        """Removes this program's files and, if nothing else is in it, the folder."""
        video.remove_leftovers(self.joined)
        self._folder.remove()
