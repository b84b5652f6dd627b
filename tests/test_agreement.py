"""The measures agree with other libraries, and the table of the documents lists them all."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.agreement import (
    BEGIN,
    END,
    TOLERANCE,
    Agreement,
    of_descriptions,
    of_pictures,
    table,
    write_between_marks,
)
from tests.support.shared import ROOT

DOCUMENT = ROOT / "docs" / "evaluation.md"


def test_measures_of_pictures_and_people_differ_by_less_than_a_ten_thousandth() -> None:
    found = [*of_pictures(), *of_descriptions()]
    assert {row.measure for row in found} >= {"PSNR [dB]", "SSIM", "MS-SSIM", "identity angle [°]"}
    assert all(row.difference < TOLERANCE for row in found), "\n".join(table(found))


def test_the_documents_table_is_the_scripts_and_keeps_the_tolerance() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    lines = text.partition(BEGIN)[2].partition(END)[0].strip().splitlines()
    assert lines[:2] == table([])
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    wanted = {(row.measure, row.library) for row in (*of_pictures(), *of_descriptions())}
    wanted |= {("LPIPS", "torchmetrics"), ("FID's features", "torch-fidelity")}
    assert {(row[0], row[1]) for row in rows} >= wanted
    assert all(float(row[4]) < TOLERANCE for row in rows)


def test_a_table_is_written_between_its_marks_alone(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    write_between_marks(document, table([Agreement(measure="a", library="b", own=1.0, other=1.5)]))
    text = document.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{BEGIN}\n| measure")
    assert "| a | b | 1.000000 | 1.500000 | 5.0e-01 |  |" in text
    assert text.endswith(f"{END}\nafter\n")
    assert "old" not in text
    document.write_text("no marks", encoding="utf-8")
    with pytest.raises(ValueError, match="lacks the marks"):
        write_between_marks(document, [])
