"""Plots of an evaluation, as SVG, by matplotlib."""

from __future__ import annotations

import importlib
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidrestore.errors import UsageError
from vidrestore.evaluation.evaluation import Evaluation
from vidrestore.evaluation.measures import BY_NAME, Subject
from vidrestore.evaluation.samples import Samples

_PLOTTED = (
    "face_psnr", "face_ssim", "identity", "landmarks", "mouth", "lids", "niqe", "flicker", "vidd", "psnr",
)  # fmt: skip
_COLOURS: dict[Subject, str] = {"input": "#999999", "result": "#0b62a4", "truth": "#2a9d3a"}
Numbers = NDArray[np.float64]
_FEW_POINTS = 30
"""A line of at most this many points has a marker at each."""
_MOST_POINTS = 4000
"""Points of a line; of more, only every n-th is drawn."""


def check_plots() -> None:
    """Raise UsageError where matplotlib is not installed: called before the long work, not after it."""
    _matplotlib()


def plots(found: Evaluation) -> dict[str, str]:
    """A plot of each measure, as SVG by the measure's name.

    For a video, the mean over the faces of each frame, over time; for pictures, their values in order.

    Raises:
        UsageError: matplotlib is not installed.
    """
    figures = _matplotlib()
    drawn: dict[str, str] = {}
    for name in _PLOTTED:
        measure = BY_NAME[name]
        samples = found.pictures if measure.scope == "picture" else found.faces
        lines: list[tuple[Subject, Numbers, Numbers]] = []
        for subject in ("input", "result", "truth"):
            at, values = _line(samples, f"{subject}.{name}")
            if len(values) > 1:
                lines.append((subject, *((at, values) if found.is_video else _sorted(values))))
        if any(subject == "result" for subject, _, _ in lines):
            heading = f"{measure.title} [{measure.unit}]" if measure.unit else measure.title
            drawn[name] = _draw(figures, heading, lines, over_time=found.is_video)
    return drawn


def _line(samples: Samples, column: str) -> tuple[Numbers, Numbers]:
    """(N,) seconds of the frames with values, and (N,) the mean over the faces of each."""
    values = samples.column(column).astype(np.float64)
    there = ~np.isnan(values)
    _, first, numbers = np.unique(samples.frames[there], return_index=True, return_inverse=True)
    means = np.bincount(numbers, weights=values[there]) / np.maximum(np.bincount(numbers), 1)
    return samples.seconds[there][first], means


def _sorted(values: Numbers) -> tuple[Numbers, Numbers]:
    return np.arange(len(values), dtype=np.float64), np.sort(values)


def _draw(figures: Any, title: str, lines: list[tuple[Subject, Numbers, Numbers]], *, over_time: bool) -> str:
    figure = figures.Figure(figsize=(5.2, 2.3), layout="constrained")
    axes = figure.subplots()
    for subject, at, values in lines:
        step = -(-len(values) // _MOST_POINTS)
        order = np.argsort(at, kind="stable")[::step]
        marker = "o" if len(order) <= _FEW_POINTS else ""
        axes.plot(
            at[order],
            values[order],
            label=subject,
            color=_COLOURS[subject],
            linewidth=1,
            marker=marker,
            markersize=3,
        )
    axes.set_title(title, fontsize=9)
    axes.set_xlabel("seconds" if over_time else "pictures, in order of the value", fontsize=8)
    axes.tick_params(labelsize=7)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7, frameon=False)
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()[text.getvalue().index("<svg") :]


def _matplotlib() -> Any:
    try:
        return importlib.import_module("matplotlib.figure")
    except ImportError as error:
        raise UsageError(
            "the page's plots need matplotlib, which is not installed; install it with: "
            "pip install 'vidrestore[eval]'"
        ) from error
