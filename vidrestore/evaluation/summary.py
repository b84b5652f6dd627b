"""Summarises an evaluation: each measure's mean with its confidence interval, and the means of each track."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidrestore.evaluation.evaluation import Evaluation
from vidrestore.evaluation.measures import BY_NAME, FID, MEASURES, Measure, Subject
from vidrestore.evaluation.samples import Samples

CONFIDENCE = 0.95
BLOCK_SECONDS = 1.0
"""Length of the bootstrap's blocks. Neighbouring frames are alike, so the frames of a track within a block
are drawn together."""
LEAST_BLOCKS = 5
"""With fewer, no interval is stated."""
DRAWS = 2000
"""Samples of the bootstrap."""
_SUBJECTS: tuple[Subject, ...] = ("input", "result", "truth")

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryRow:
    """One measure of one file."""

    measure: Measure
    subject: Subject
    mean: float
    low: float | None
    """Ends of the 95 % interval, by bootstrap over blocks; None where there are too few."""
    high: float | None
    count: int
    """Number of values."""
    worst: float | None
    worst_at: int | None
    """Number of the frame or picture with the worst value; None for a measure of the whole set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRow:
    """Means of one track's values."""

    track: int
    first_frame: int
    last_frame: int
    faces: int
    values: dict[str, float]
    """Means by column, such as result.face_psnr, and the standard deviations over time."""


def summarise(found: Evaluation, *, seed: int = 0) -> list[SummaryRow]:
    """A row for each measure and each file that has values of it, in the order of `MEASURES`.

    The largest change outside the faces is the largest of all frames; everything else is a mean.
    """
    rows = []
    for measure in MEASURES:
        for subject in _SUBJECTS:
            samples = found.pictures if measure.scope == "picture" else found.faces
            row = _row(measure, subject, samples, found.is_video, seed)
            if row is not None:
                rows.append(row)
    by_subject = {distance.subject: distance for distance in found.sets}
    for subject in (s for s in _SUBJECTS if s in by_subject):
        distance = by_subject[subject]
        rows.append(
            SummaryRow(
                measure=FID,
                subject=subject,
                mean=distance.fid,
                low=None,
                high=None,
                count=distance.faces,
                worst=None,
                worst_at=None,
            )
        )
    return rows


def track_rows(found: Evaluation) -> list[TrackRow]:
    """A row for each track of a video; none for pictures, whose faces are not tracked."""
    if not found.is_video:
        return []
    tracks, frames = found.faces.tracks, found.faces.frames
    rows = []
    for number in np.unique(tracks):
        chosen = tracks == number
        values: dict[str, float] = {}
        for name in found.faces.columns:
            column = found.faces.column(name)[chosen]
            if not np.isnan(column).all() and name.partition(".")[2] in BY_NAME:
                values[name] = float(np.nanmean(column, dtype=np.float64))
        for measure in (m for m in MEASURES if m.deviation_of):
            for subject in _SUBJECTS:
                column = found.faces.column(f"{subject}.{measure.deviation_of}")[chosen]
                if np.count_nonzero(~np.isnan(column)) > 1:
                    values[f"{subject}.{measure.name}"] = float(np.nanstd(column, dtype=np.float64))
        rows.append(
            TrackRow(
                track=int(number),
                first_frame=int(frames[chosen].min()),
                last_frame=int(frames[chosen].max()),
                faces=int(chosen.sum()),
                values=values,
            )
        )
    return rows


def interval(values: Numbers, blocks: NDArray[np.int64], *, seed: int = 0) -> tuple[float, float] | None:
    """The 95 % interval of a mean, by a bootstrap over blocks of values.

    Args:
        values: (N,) measured values, without NaN.
        blocks: (N,) number of the block that each value belongs to.
        seed: Seed of the random draws.

    Returns:
        The interval's ends, or None where there are fewer than `LEAST_BLOCKS` blocks.
    """
    _, numbers = np.unique(blocks, return_inverse=True)
    sums = np.bincount(numbers, weights=values)
    counts = np.bincount(numbers).astype(np.float64)
    if len(sums) < LEAST_BLOCKS:
        return None
    from scipy.stats import bootstrap

    def mean(total: Numbers, count: Numbers, axis: int = -1) -> Any:
        return total.sum(axis=axis) / count.sum(axis=axis)

    drawn = bootstrap(
        (sums, counts),
        mean,
        paired=True,
        vectorized=True,
        n_resamples=DRAWS,
        batch=100,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return float(drawn.confidence_interval.low), float(drawn.confidence_interval.high)


def _row(
    measure: Measure, subject: Subject, samples: Samples, is_video: bool, seed: int
) -> SummaryRow | None:
    column = samples.column(f"{subject}.{measure.deviation_of or measure.name}").astype(np.float64)
    there = ~np.isnan(column)
    if not there.any() or (measure.deviation_of and not is_video):
        return None
    values, tracks, frames = column[there], samples.tracks[there], samples.frames[there]
    if measure.deviation_of:
        values = _squared_deviations(values, tracks)
    blocks = _blocks(tracks, samples.seconds[there], frames, is_video)
    ends = interval(values, blocks, seed=seed)
    worst = int(np.argmax(_badness(measure, values)))
    mean = float(values.max() if measure.name == "change_outside" else values.mean())
    if measure.name == "change_outside":
        ends = None
    if measure.deviation_of:
        mean, ends = float(np.sqrt(mean)), None if ends is None else _roots(ends)
    return SummaryRow(
        measure=measure,
        subject=subject,
        mean=mean,
        low=None if ends is None else ends[0],
        high=None if ends is None else ends[1],
        count=len(values),
        worst=float(np.sqrt(values[worst]) if measure.deviation_of else values[worst]),
        worst_at=int(frames[worst]),
    )


def _badness(measure: Measure, values: Numbers) -> Numbers:
    if measure.better == "higher":
        return -values
    return np.abs(np.log(np.maximum(values, 1e-9))) if measure.better == "near one" else values


def _squared_deviations(values: Numbers, tracks: NDArray[np.int64]) -> Numbers:
    """(N,) squared distance of each value to the mean of its own track."""
    _, numbers = np.unique(tracks, return_inverse=True)
    means = np.bincount(numbers, weights=values) / np.bincount(numbers)
    return np.asarray((values - means[numbers]) ** 2)


def _blocks(
    tracks: NDArray[np.int64], seconds: Numbers, frames: NDArray[np.int64], is_video: bool
) -> NDArray[np.int64]:
    if not is_video:
        return frames
    whole = np.floor(seconds / BLOCK_SECONDS).astype(np.int64)
    return np.asarray((tracks + 1) * (int(whole.max(initial=0)) + 1) + whole)


def _roots(ends: tuple[float, float]) -> tuple[float, float]:
    return float(np.sqrt(max(ends[0], 0))), float(np.sqrt(max(ends[1], 0)))
