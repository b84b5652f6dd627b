"""The measures that the DAEFR paper reports for each set of test faces, and its table of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from vidrestore.evaluation.left_out import LeftOut
from vidrestore.evaluation.measures import Better, Subject
from vidrestore.evaluation.pairing import Check
from vidrestore.evaluation.summary import interval

SetName = Literal["celeba", "lfw", "wider"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperSet:
    """A set of test faces."""

    title: str
    pictures: int
    """Number of pictures in the paper's copy of the set."""
    columns: tuple[str, ...]
    """Names of the measures, in the order of the paper's table."""

    @property
    def has_truth(self) -> bool:
        return "psnr" in self.columns


SETS: dict[SetName, PaperSet] = {
    "celeba": PaperSet(
        title="CelebA-Test",
        pictures=3000,
        columns=("fid", "lpips", "niqe", "ida", "lmd", "psnr", "ssim"),
    ),
    "lfw": PaperSet(title="LFW-Test", pictures=1711, columns=("fid", "niqe")),
    "wider": PaperSet(title="WIDER-Test", pictures=970, columns=("fid", "niqe")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperMeasure:
    """A column of the table."""

    title: str
    better: Better
    digits: int
    differs: str = ""
    """How it differs from the paper's measure; '' where it does not."""


MEASURES: dict[str, PaperMeasure] = {
    "fid": PaperMeasure(title="FID", better="lower", digits=2),
    "lpips": PaperMeasure(title="LPIPS", better="lower", digits=4),
    "niqe": PaperMeasure(
        title="NIQE",
        better="lower",
        digits=3,
        differs="under this project's model of natural faces, at 256 pixels, not the published model",
    ),
    "ida": PaperMeasure(
        title="IDA", better="lower", digits=2, differs="angle in degrees by dlib's recogniser, not ArcFace"
    ),
    "lmd": PaperMeasure(
        title="LMD", better="lower", digits=3, differs="five points by the embedded landmark network"
    ),
    "psnr": PaperMeasure(title="PSNR", better="higher", digits=3),
    "ssim": PaperMeasure(title="SSIM", better="higher", digits=4),
}

Values = dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One number of the table."""

    mean: float
    low: float | None = None
    """Ends of the 95 % interval over pictures, by bootstrap; None where there is none."""
    high: float | None = None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperResult:
    """What `evaluate_paper` measured."""

    set: SetName
    about: str
    """Network and settings, as one line of text."""
    names: tuple[str, ...]
    """Names of the pictures."""
    values: dict[Subject, list[Values]]
    """Values of each picture, in the order of `names`; without those that could not be measured."""
    fid: dict[Subject, float]
    checks: tuple[Check, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)


def scores(found: PaperResult) -> dict[Subject, dict[str, Score]]:
    """The numbers of the table, by row and column."""
    rows: dict[Subject, dict[str, Score]] = {}
    for subject, values in found.values.items():
        row = rows.setdefault(subject, {})
        if subject in found.fid:
            row["fid"] = Score(mean=found.fid[subject], count=len(found.names))
        for name in SETS[found.set].columns:
            column = np.array([of_picture[name] for of_picture in values if name in of_picture])
            if len(column):
                low, high = interval(column, np.arange(len(column))) or (None, None)
                row[name] = Score(mean=float(column.mean()), low=low, high=high, count=len(column))
    return rows


def table(found: PaperResult) -> str:
    """The table with its head, what differs from the paper's measures, checks, and what was left out."""
    test_set, rows = SETS[found.set], scores(found)
    columns = test_set.columns
    lines = [["", *(_title(name) for name in columns)]]
    for subject, row in rows.items():
        cells = [f"{row[n].mean:.{MEASURES[n].digits}f}" if n in row else "-" for n in columns]
        lines.append([subject, *cells])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    text = ["  ".join(cell.rjust(w) for cell, w in zip(line, widths, strict=True)) for line in lines]
    count = len(found.names)
    size = "" if count == test_set.pictures else f" (the paper has {test_set.pictures})"
    head = f"{test_set.title}: {count} pictures{size}; {found.about}"
    notes = [
        f"* {MEASURES[name].title}: {MEASURES[name].differs}" for name in columns if MEASURES[name].differs
    ]
    checks = [f"{'passed' if c.passed else 'FAILED'}  {c.name}: {c.sentence}" for c in found.checks]
    left_out = [f"left out: {item.name}: {item.reason}" for item in found.left_out]
    return "\n".join([head, "", *text, "", *notes, *checks, *left_out])


def to_dict(found: PaperResult) -> dict[str, Any]:
    """Plain values for JSON."""
    rows = {
        subject: {
            name: {"mean": s.mean, "low": s.low, "high": s.high, "count": s.count} for name, s in row.items()
        }
        for subject, row in scores(found).items()
    }
    pictures = [
        {"name": name, **{subject: values[number] for subject, values in found.values.items()}}
        for number, name in enumerate(found.names)
    ]
    return {
        "set": found.set,
        "about": found.about,
        "rows": rows,
        "differs": {name: m.differs for name, m in MEASURES.items() if m.differs},
        "checks": [{"name": c.name, "passed": c.passed, "sentence": c.sentence} for c in found.checks],
        "left_out": [{"name": item.name, "reason": item.reason} for item in found.left_out],
        "pictures": pictures,
    }


def _title(name: str) -> str:
    measure = MEASURES[name]
    arrow = {"higher": "↑", "lower": "↓", "near one": "→1"}[measure.better]
    return f"{measure.title}{'*' if measure.differs else ''} {arrow}"
