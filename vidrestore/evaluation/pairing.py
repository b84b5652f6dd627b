"""Checks that result and truth show the same: finds shuffled pairs, shifted frames and other videos.

Small copies are compared, without brightness and contrast. Noise, blur and grading hardly change them, but
another moment does.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from vidrestore.colour.yuv_rgb import downscaled_luma
from vidrestore.faces.orientation import upright_frame
from vidrestore.types import FloatArray, Frame

_SIDE, _PICTURE_SIDE = 64, 32
"""Of the small copies of frames, and of pictures, of which all are remembered."""
_REACH = 2
"""Number of frames before and after with which a frame is compared."""
_CLEARLY = 0.8
"""The distance to another picture, over that to its own, from which the other is the better match."""
_FRAMES_IN_A_ROW = 3
_LEAST_LIKENESS = 0.5
"""If half of the frames have a lower correlation with the truth, it is another video."""
_CHUNK = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A condition for valid measurements."""

    name: str
    passed: bool
    sentence: str


def thumbnail(frame: Frame, side: int = _SIDE) -> FloatArray:
    """(N,) a small copy of the luma as it is shown, with mean 0 and length 1; zeros for a flat picture."""
    small, _ = downscaled_luma(upright_frame(frame), side)
    values = small.astype(np.float32).ravel()
    values = values - values.mean()
    return values / max(float(np.linalg.norm(values)), 1e-6)


class FrameOrder:
    """Follows the frames of two videos and finds where one shows an earlier or later frame."""

    def __init__(self, other: str = "truth") -> None:
        self._other = other
        self._results: deque[FloatArray] = deque(maxlen=2 * _REACH + 1)
        self._truths: deque[FloatArray] = deque(maxlen=2 * _REACH + 1)
        self._count = 0
        self._run: tuple[int, int] = (0, 0)
        """Frames by which the last ones were apart, and how many of them in a row."""
        self._longest: tuple[int, int, int] = (0, 0, 0)
        """Frames in a row, by how much they were apart, and the first of them."""
        self._alike, self._compared = 0, 0

    def add(self, result: Frame, truth: Frame) -> None:
        """Adds the next frame of both."""
        self._results.append(thumbnail(result))
        self._truths.append(thumbnail(truth))
        self._count += 1
        likeness = float(self._results[-1] @ self._truths[-1])
        if self._truths[-1].any():
            self._compared += 1
            self._alike += likeness >= _LEAST_LIKENESS
        if len(self._truths) == 2 * _REACH + 1:
            self._look(self._count - 1 - _REACH)

    def check(self) -> Check:
        """The result of the check."""
        name = f"same frames as the {self._other}"
        if self._compared and 2 * self._alike < self._compared:
            sentence = (
                f"most frames do not look like the {self._other}'s: is it the {self._other} of this video?"
            )
            return Check(name=name, passed=False, sentence=sentence)
        frames, apart, first = self._longest
        if frames >= _FRAMES_IN_A_ROW:
            when = "later" if apart > 0 else "earlier"
            sentence = (
                f"from frame {first} on the result shows what the {self._other} shows {abs(apart)} "
                f"frame{'s' if abs(apart) > 1 else ''} {when}"
            )
            return Check(name=name, passed=False, sentence=sentence)
        return Check(name=name, passed=True, sentence=f"frames match the {self._other}'s")

    def _look(self, frame: int) -> None:
        """Compares the middle one of the last results with the neighbouring frames of the truth."""
        result = self._results[_REACH]
        distances = np.array([np.linalg.norm(result - truth) for truth in self._truths])
        best = int(distances.argmin())
        others = np.delete(distances, _REACH)
        if best != _REACH and distances[best] < _CLEARLY * distances[_REACH]:
            apart = best - _REACH
        elif distances[_REACH] < _CLEARLY * others.min():
            apart = 0
        else:
            return  # without motion, this frame cannot be checked
        before, run = self._run
        run = run + 1 if apart == before else 1
        self._run = (apart, run)
        if apart and run > self._longest[0]:
            first = self._longest[2] if self._longest[1] == apart and run > 1 and self._longest[0] else frame
            self._longest = (run, apart, first)


class PicturePairs:
    """Stores small copies of all pairs of pictures and finds those that were mixed up."""

    def __init__(self, other: str = "truth") -> None:
        self._other = other
        self._names: list[str] = []
        self._results: list[FloatArray] = []
        self._truths: list[FloatArray] = []

    def add(self, name: str, result: Frame, truth: Frame) -> None:
        """Adds the next pair of pictures; `name` is that of the result's file."""
        self._names.append(name)
        self._results.append(thumbnail(result, _PICTURE_SIDE))
        self._truths.append(thumbnail(truth, _PICTURE_SIDE))

    def check(self) -> Check:
        """The result of the check."""
        name = f"same pictures as the {self._other}"
        mixed = self._mixed_up()
        if mixed:
            picture, other = (self._names[number] for number in mixed[0])
            more = f", and {len(mixed) - 1} more" if len(mixed) > 1 else ""
            sentence = f"{picture} looks like the {self._other} of {other}, not like its own{more}"
            return Check(name=name, passed=False, sentence=sentence)
        likeness = [float(r @ t) for r, t in zip(self._results, self._truths, strict=True) if t.any()]
        if likeness and float(np.median(likeness)) < _LEAST_LIKENESS:
            sentence = (
                f"most pictures do not look like the {self._other}'s: is it the {self._other} of these?"
            )
            return Check(name=name, passed=False, sentence=sentence)
        return Check(name=name, passed=True, sentence=f"pictures match the {self._other}'s")

    def _mixed_up(self) -> list[tuple[int, int]]:
        """Pictures that fit another truth clearly better than their own, with that one's number."""
        found: list[tuple[int, int]] = []
        by_length: dict[int, list[int]] = {}
        for number, thumb in enumerate(self._truths):
            by_length.setdefault(len(thumb), []).append(number)
        for numbers in by_length.values():
            truths = np.stack([self._truths[number] for number in numbers])
            results = np.stack([self._results[number] for number in numbers])
            for start in range(0, len(numbers), _CHUNK):
                # Of vectors of length 1 the squared distance is 2 - 2 cosine.
                part = slice(start, start + _CHUNK)
                distances = np.sqrt(np.maximum(2 - 2 * results[part] @ truths.T, 0))
                own = distances[np.arange(len(distances)), np.arange(start, start + len(distances))]
                best = distances.argmin(axis=1)
                worse = distances[np.arange(len(distances)), best] < _CLEARLY * own
                found += [(numbers[start + i], numbers[best[i]]) for i in np.flatnonzero(worse)]
        return found
