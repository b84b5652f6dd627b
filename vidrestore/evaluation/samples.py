"""Measured values, row by row, at four bytes each: ten hours of video take some hundred megabytes."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from vidrestore.types import FloatArray

NO_TRACK = -1


class Samples:
    """Rows that belong to a picture or frame, or to a face in it."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        self.columns = columns
        self._frames, self._seconds, self._tracks = array("q"), array("d"), array("q")
        self._values = {name: array("f") for name in columns}

    def __len__(self) -> int:
        return len(self._frames)

    def add(self, frame: int, seconds: float, track: int, values: Mapping[str, float]) -> None:
        """One row; what `values` lacks is not a number. Raises KeyError for a column there is not."""
        unknown = values.keys() - self._values.keys()
        if unknown:
            raise KeyError(f"there is no column {min(unknown)}")
        self._frames.append(frame)
        self._seconds.append(seconds)
        self._tracks.append(track)
        for name, column in self._values.items():
            column.append(values.get(name, float("nan")))

    @property
    def frames(self) -> NDArray[np.int64]:
        """(N,) number of each row's frame or picture, from 0."""
        return np.array(self._frames, np.int64)

    @property
    def seconds(self) -> NDArray[np.float64]:
        """(N,)"""
        return np.array(self._seconds, np.float64)

    @property
    def tracks(self) -> NDArray[np.int64]:
        """(N,) number of the face's track, or of the face in its picture; `NO_TRACK` for whole pictures."""
        return np.array(self._tracks, np.int64)

    def column(self, name: str) -> FloatArray:
        """(N,) values; not a number where nothing was measured. All are where there is no such column."""
        if name not in self._values:
            return np.full(len(self), np.nan, np.float32)
        return np.array(self._values[name], np.float32)

    def rows(self) -> Iterator[tuple[int, float, int, dict[str, float]]]:
        """Frame, seconds, track and the values that were measured."""
        for number, (frame, seconds, track) in enumerate(
            zip(self._frames, self._seconds, self._tracks, strict=True)
        ):
            values = {name: column[number] for name, column in self._values.items()}
            yield frame, seconds, track, {k: v for k, v in values.items() if not np.isnan(v)}
