"""Plots of an evaluation, as SVG, by matplotlib."""

from __future__ import annotations

import importlib
import io
from typing import Any

import numpy as np

from vidrestore.errors import UsageError
from vidrestore.evaluation.evaluation import Evaluation
from vidrestore.evaluation.measures import BY_NAME, Subject

_PLOTTED = (
    "face_psnr", "face_ssim", "identity", "landmarks", "mouth", "lids", "niqe", "flicker", "vidd", "psnr",
)  # fmt: skip
_COLOURS: dict[Subject, str] = {"input": "#999999", "result": "#0b62a4", "truth": "#2a9d3a"}
_MOST_POINTS = 4000
"""Of a line; more frames are thinned."""


def plots(found: Evaluation) -> dict[str, str]:
    """SVG by the name of the measure: over time for videos, sorted by value for pictures.

    Raises:
        UsageError: matplotlib is not installed.
    """
    figures = _matplotlib()
    drawn: dict[str, str] = {}
    for name in _PLOTTED:
        measure = BY_NAME[name]
        samples = found.pictures if measure.scope == "picture" else found.faces
        lines: list[tuple[Subject, Any, Any]] = []
        for subject in ("input", "result", "truth"):
            values = samples.column(f"{subject}.{name}")
            there = ~np.isnan(values)
            if np.count_nonzero(there) > 1:
                at = samples.seconds[there] if found.is_video else np.arange(np.count_nonzero(there))
                shown = values[there] if found.is_video else np.sort(values[there])
                lines.append((subject, at, shown))
        if any(subject == "result" for subject, _, _ in lines):
            heading = f"{measure.title} [{measure.unit}]" if measure.unit else measure.title
            drawn[name] = _draw(figures, heading, lines, over_time=found.is_video)
    return drawn


def _draw(figures: Any, title: str, lines: list[tuple[Subject, Any, Any]], *, over_time: bool) -> str:
    figure = figures.Figure(figsize=(5.2, 2.3), layout="constrained")
    axes = figure.subplots()
    for subject, at, values in lines:
        step = -(-len(values) // _MOST_POINTS)
        order = np.argsort(at, kind="stable")[::step]
        axes.plot(at[order], values[order], label=subject, color=_COLOURS[subject], linewidth=1)
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
