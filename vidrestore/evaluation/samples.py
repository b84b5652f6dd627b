"""Measured values in columns of 4-byte floats: ten hours of video take about a hundred megabytes."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from vidrestore.types import FloatArray

NO_TRACK = -1


class Samples:
    """A table of measured values: a row for each frame or picture, or for each face in it."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        self.columns = columns
        self._frames, self._seconds, self._tracks = array("q"), array("d"), array("q")
        self._values = {name: array("f") for name in columns}

    def __len__(self) -> int:
        return len(self._frames)

    def add(self, frame: int, seconds: float, track: int, values: Mapping[str, float]) -> None:
        """Append a row.

        Args:
            frame: Number of the frame or picture, from 0.
            seconds: Its time after the first frame.
            track: Number of the face's track; `NO_TRACK` for a whole picture.
            values: Values by column; a missing column becomes NaN.

        Raises:
            KeyError: There is no such column.
        """
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
        """(N,) time of each row's frame after the first frame."""
        return np.array(self._seconds, np.float64)

    @property
    def tracks(self) -> NDArray[np.int64]:
        """(N,) number of the face's track, or of the face in its picture; `NO_TRACK` for whole pictures."""
        return np.array(self._tracks, np.int64)

    def column(self, name: str) -> FloatArray:
        """(N,) values; NaN where nothing was measured, and everywhere if there is no such column."""
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
