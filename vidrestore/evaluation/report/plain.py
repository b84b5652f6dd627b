"""An evaluation as JSON and CSV, for other programs."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from typing import Any

from vidrestore.evaluation.evaluation import Evaluation
from vidrestore.evaluation.measures import BY_NAME
from vidrestore.evaluation.samples import NO_TRACK, Samples
from vidrestore.evaluation.summary import SummaryRow, summarise, track_rows


def to_dict(found: Evaluation) -> dict[str, Any]:
    """The evaluation as JSON can hold it: summary, tracks, checks, what was left out, and every row."""
    return {
        "files": {subject: str(path) for subject, path in found.paths.items()},
        "is_video": found.is_video,
        "size": list(found.size),
        "pictures": len(found.pictures),
        "faces": len(found.faces),
        "reference": found.reference,
        "seconds": round(found.seconds, 3),
        "measures": {
            m.name: {"title": m.title, "unit": m.unit, "better": m.better, "about": m.about}
            for m in BY_NAME.values()
        },
        "summary": [_summary(found, row) for row in summarise(found)],
        "tracks": [asdict(row) for row in track_rows(found)],
        "checks": [asdict(check) for check in found.checks],
        "passed": found.passed,
        "left_out": [asdict(item) for item in found.left_out],
        "by_picture": _rows(found, found.pictures),
        "by_face": _rows(found, found.faces),
    }


def to_csv(found: Evaluation) -> str:
    """A line for each picture (without a face's number) and for each face in it; a column for each value."""
    columns = [name for name in (*found.pictures.columns, *found.faces.columns)]
    text = io.StringIO()
    writer = csv.DictWriter(text, ["name", "frame", "seconds", "face", *columns], lineterminator="\n")
    writer.writeheader()
    for samples in (found.pictures, found.faces):
        for row in _rows(found, samples):
            values = row.pop("values")
            writer.writerow({**{"name": "", "face": ""}, **row, **values})
    return text.getvalue()


def _summary(found: Evaluation, row: SummaryRow) -> dict[str, Any]:
    return {
        "measure": row.measure.name,
        "of": row.subject,
        "mean": row.mean,
        "low": row.low,
        "high": row.high,
        "count": row.count,
        "worst": row.worst,
        "worst_at": found.names[row.worst_at] if found.names and row.worst_at is not None else row.worst_at,
    }


def _rows(found: Evaluation, samples: Samples) -> list[dict[str, Any]]:
    rows = []
    for frame, seconds, track, values in samples.rows():
        row: dict[str, Any] = {"frame": frame, "seconds": round(seconds, 6)}
        if found.names:
            row = {"name": found.names[frame], "frame": frame}
        if track != NO_TRACK:
            row["face"] = track
        row["values"] = {name: float(f"{value:.7g}") for name, value in values.items()}
        rows.append(row)
    return rows
