"""Imports results into the bin "vidrestore" of the media pool, and adds them to their clips as takes.

Blackmagic's scripting README says: media is imported into the current folder, takes are numbered from 1, and
the first AddTake makes the original take 1.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

BIN = "vidrestore"


class ResultError(Exception):
    """Resolve refused a request. The text is one sentence."""


class ResultBin:
    """The bin of results in a project's media pool; created for the first result."""

    def __init__(self, media_pool: Any) -> None:
        self._pool = media_pool

    def paths(self) -> set[str]:
        """Paths of the results in the bin."""
        folder = self._find()
        clips = [] if folder is None else folder.GetClipList() or []
        return {str(clip.GetClipProperty("File Path")) for clip in clips}

    def add(self, path: Path) -> Any:
        """Import a result, and return its media pool item. The folder that the user has open stays open.

        Raises:
            ResultError: Resolve cannot read the file, or refuses to create the bin.
        """
        folder = self._find() or self._pool.AddSubFolder(self._pool.GetRootFolder(), BIN)
        if folder is None:
            raise ResultError(f"Resolve did not make the bin {BIN}; the result is {path}")
        before = self._pool.GetCurrentFolder()
        self._pool.SetCurrentFolder(folder)
        try:
            added = self._pool.ImportMedia([str(path)])
        finally:
            if before is not None:
                self._pool.SetCurrentFolder(before)
        if not added:
            raise ResultError(f"Resolve cannot import {path}; choose another codec, such as ProRes or DNxHR")
        return added[0]

    def _find(self) -> Any:
        for folder in self._pool.GetRootFolder().GetSubFolderList() or []:
            if folder.GetName() == BIN:
                return folder
        return None


def show_result(item: Any, medium: Any, offset: int, length: int, earlier: set[str]) -> None:
    """Add a result to a clip as the take that it shows; the original stays the first take.

    Args:
        item: Resolve's TimelineItem.
        medium: The result's MediaPoolItem.
        offset: Frames in the result before the first one that the clip shows.
        length: Number of the last shown frame minus that of the first.
        earlier: Files of earlier results: takes that show them are replaced.

    Raises:
        ResultError: Resolve refuses the take.
    """
    replaced = [
        number
        for number in range(1, int(item.GetTakesCount()) + 1)
        if str(item.GetTakeByIndex(number)["mediaPoolItem"].GetClipProperty("File Path")) in earlier
    ]
    first = int(medium.GetClipProperty("Start") or 0) + offset
    if not item.AddTake(medium, first, first + length):
        raise ResultError(f"Resolve did not add a take to {item.GetName()}; the result is in the bin {BIN}")
    item.SelectTakeByIndex(int(item.GetTakesCount()))
    for number in reversed(replaced):  # removing a take changes the numbers above it
        item.DeleteTakeByIndex(number)
    if replaced:
        item.SelectTakeByIndex(int(item.GetTakesCount()))
