"""Groups of people.

Most are by the columns of the manifest; a person of whom a column is empty is in none of its groups. Children
and glasses are not in the manifest: `seen_in_pictures.csv` lists the held-out faces in whose pictures they
were seen.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from functools import cache
from pathlib import Path

from vidrestore.training.data.people import FaceFile

DARK_SKIN = {"african-american", "black", "african"}
LIGHT_SKIN = {"white-american", "white", "east_asian", "asian-american"}
DARK_LUMA, OPEN_MOUTH, TURNED, OLD = 85.0, 0.2, 0.2, 1950.0


def _number(file: FaceFile, column: str) -> float:
    try:
        return float(file.attribute(column))
    except ValueError:
        return float("nan")


@cache
def _seen_in_pictures() -> frozenset[tuple[str, str]]:
    """The name of a face without its suffix, and a group of it."""
    with (Path(__file__).parent / "seen_in_pictures.csv").open(encoding="utf-8", newline="") as file:
        return frozenset((row["face"], row["group"]) for row in csv.DictReader(file))


def _is_seen(file: FaceFile, group: str) -> bool:
    return (file.path.stem, group) in _seen_in_pictures()


GROUPS: dict[str, Callable[[FaceFile], bool]] = {
    "women": lambda f: f.attribute("sex") == "female",
    "men": lambda f: f.attribute("sex") == "male",
    "children": lambda f: _is_seen(f, "child"),
    "glasses": lambda f: _is_seen(f, "glasses"),
    "dark skin": lambda f: f.attribute("group") in DARK_SKIN,
    "light skin": lambda f: f.attribute("group") in LIGHT_SKIN,
    "born before 1950": lambda f: _number(f, "born") < OLD,
    "born later": lambda f: _number(f, "born") >= OLD,
    "dark pictures": lambda f: _number(f, "luma") < DARK_LUMA,
    "turned heads": lambda f: abs(_number(f, "yaw")) > TURNED,
    "open mouths": lambda f: _number(f, "mouth") > OPEN_MOUTH,
    "grey pictures": lambda f: f.attribute("grey") == "1",
    "synthetic": lambda f: not f.is_photo,
}
