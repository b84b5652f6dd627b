"""Bars in an SVG file, written directly: one picture of a benchmark's ratios, with the bars it is held to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

_LABEL, _WIDTH, _LINE, _HEAD = 330, 420, 22, 34


def write_bars(path: Path, groups: Mapping[str, Sequence[tuple[str, float, float | None]]]) -> None:
    """`groups`: by title, rows of (label, value, limit or None). Each group has a scale of its own."""
    parts: list[str] = []
    y = 8
    for title, rows in groups.items():
        y += _HEAD
        parts.append(_text(8, y - 12, title, weight="bold"))
        largest = max((max(value, limit or 0.0) for _, value, limit in rows), default=1.0) or 1.0
        for label, value, limit in rows:
            length = _WIDTH * value / largest
            parts.append(_text(_LABEL - 8, y + 14, label, anchor="end"))
            parts.append(
                f'<rect x="{_LABEL}" y="{y + 3}" width="{length:.1f}" height="{_LINE - 8}" fill="#4878a8"/>'
            )
            parts.append(_text(_LABEL + length + 6, y + 14, f"{value:.3g}"))
            if limit is not None:
                at = _LABEL + _WIDTH * limit / largest
                parts.append(
                    f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{y}" y2="{y + _LINE - 2}" stroke="#c03030"/>'
                )
            y += _LINE
    width, height = _LABEL + _WIDTH + 80, y + 12
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-size="12" '
    frame = 'font-family="sans-serif"><rect width="100%" height="100%" fill="white"/>'
    path.write_text(head + frame + "".join(parts) + "</svg>\n", encoding="utf-8")


def _text(x: float, y: float, text: str, *, anchor: str = "start", weight: str = "normal") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}">{escape(text)}</text>'
    )
