"""The summary as lines of text."""

from __future__ import annotations

from vidrestore.evaluation.evaluation import Evaluation
from vidrestore.evaluation.measures import Measure, Subject
from vidrestore.evaluation.summary import SummaryRow, summarise, track_rows

_SUBJECTS: tuple[Subject, ...] = ("input", "result", "truth")
_TRACK_COLUMNS = ("face_psnr", "identity", "landmarks", "flicker", "vidd", "sigma_ids", "sigma_akd")


def table(found: Evaluation) -> str:
    """The evaluation as text: measures with 95 % intervals, tracks, checks, and what was left out."""
    rows = summarise(found)
    parts = [_head(found), _measures(rows), _tracks(found), _checks(found), _left_out(found)]
    return "\n\n".join(part for part in parts if part)


def by_measure(rows: list[SummaryRow]) -> dict[str, dict[Subject, SummaryRow]]:
    """The rows of each measure, by file."""
    grouped: dict[str, dict[Subject, SummaryRow]] = {}
    for row in rows:
        grouped.setdefault(row.measure.name, {})[row.subject] = row
    return grouped


def number(value: float, measure: Measure) -> str:
    """A value with the number of digits that the measure states."""
    return f"{value:.{measure.digits}f}"


def title(measure: Measure) -> str:
    """A measure's title with its unit, and an arrow to the better side."""
    arrow = {"higher": "↑", "lower": "↓", "near one": "→1"}[measure.better]
    return f"{measure.title}{f' [{measure.unit}]' if measure.unit else ''} {arrow}"


def place(found: Evaluation, row: SummaryRow) -> str:
    """Where the worst value is: a picture's name, or a frame's number; '' for a measure of the whole set."""
    if row.worst_at is None:
        return ""
    return found.names[row.worst_at] if found.names else f"frame {row.worst_at}"


def track_count(found: Evaluation) -> str:
    """The number of tracks as text, such as "1 track" or "2 tracks"."""
    count = len(set(found.faces.tracks.tolist()))
    return f"{count} track{'' if count == 1 else 's'}"


def _head(found: Evaluation) -> str:
    what = "frames" if found.is_video else "pictures"
    width, height = found.size
    files = ", ".join(f"{subject} {path}" for subject, path in found.paths.items())
    tracks = f" in {track_count(found)}" if found.is_video else ""
    note = "; identity, landmarks and openings are compared with the input"
    return (
        f"{files}\n{len(found.pictures)} {what}, {width} x {height}; {len(found.faces)} faces{tracks}"
        f"{note if found.reference == 'input' else ''}"
    )


def _measures(rows: list[SummaryRow]) -> str:
    grouped = by_measure(rows)
    subjects = [subject for subject in _SUBJECTS if any(subject in group for group in grouped.values())]
    lines = [["", *subjects, "95 % of result", "values"]]
    for group in grouped.values():
        measure = next(iter(group.values())).measure
        cells = [number(group[s].mean, measure) if s in group else "" for s in subjects]
        result = group.get("result")
        ends, count = "", ""
        if result is not None:
            count = str(result.count)
            if result.low is not None and result.high is not None:
                ends = f"{number(result.low, measure)} … {number(result.high, measure)}"
        lines.append([title(measure), *cells, ends, count])
    return _aligned(lines)


def _tracks(found: Evaluation) -> str:
    rows = track_rows(found)
    if not rows:
        return ""
    from vidrestore.evaluation.measures import BY_NAME

    shown = [name for name in _TRACK_COLUMNS if any(f"result.{name}" in row.values for row in rows)]
    lines = [["track", "frames", "faces", *(BY_NAME[name].title for name in shown)]]
    for row in rows:
        cells = [
            number(row.values[f"result.{name}"], BY_NAME[name]) if f"result.{name}" in row.values else ""
            for name in shown
        ]
        lines.append([str(row.track), f"{row.first_frame}-{row.last_frame}", str(row.faces), *cells])
    return _aligned(lines)


def _checks(found: Evaluation) -> str:
    return "\n".join(
        f"{'passed' if check.passed else 'FAILED'}  {check.name}: {check.sentence}" for check in found.checks
    )


def _left_out(found: Evaluation) -> str:
    return "\n".join(f"left out: {item.name}: {item.reason}" for item in found.left_out)


def _aligned(lines: list[list[str]]) -> str:
    """Columns of equal width, the first to the left, numbers to the right."""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
