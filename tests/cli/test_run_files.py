"""No file that a command writes is another one that it reads or writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from vidrestore.cli.run_files import check_apart
from vidrestore.errors import OutputError

TOGETHER = [
    ("out/%05d.png", "out/../out/%05d.png"),
    ("out/%05d.png", "out/00001.png"),
    ("out/%05d.png", "linked/%05d.png"),
    ("out/%05d.png", "linked/00001.png"),
    ("out/%05d.png", "out/%d.png"),
    ("out/%05d.png", "linked/%d.png"),
    ("out/a%d.png", "out/a1%03d.png"),
    ("out/%05d.png", "out/%05d.PNG"),
    ("out/%05d.png", "out/00001.PNG"),
    ("new/%05d.png", "New/%d.png"),
]
APART = [
    ("out/%05d.png", "out/mask-%05d.png"),
    ("out/%05d.png", "out/1.png"),
    ("out/a%d.png", "out/b%d.png"),
    ("out/a1%d.png", "out/a2%d.png"),
    ("out/%05d.png", "mask/%05d.png"),
    ("out/%05d.png", "out/%05d.tif"),
]


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("out").mkdir()
    Path("linked").symlink_to("out")


@pytest.mark.parametrize(("one", "other"), [*TOGETHER, *((b, a) for a, b in TOGETHER)])
def test_outputs_that_could_have_a_picture_in_common_are_refused(one: str, other: str) -> None:
    with pytest.raises(OutputError, match="choose another name"):
        check_apart({"video": Path(one), "mask": Path(other)}, [])
    with pytest.raises(OutputError, match="choose another name"):
        check_apart({"video": Path(one)}, [other])


@pytest.mark.parametrize(("one", "other"), [*APART, *((b, a) for a, b in APART)])
def test_outputs_that_have_no_picture_in_common_are_accepted(one: str, other: str) -> None:
    check_apart({"video": Path(one), "mask": Path(other)}, [Path(other).with_name("other.yaml")])
