"""`vidrestore models`."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from vidrestore.cli import main, models
from vidrestore.weights import CATALOGUE, Entry, Url
from vidrestore.weights.catalogue import Embedded

WEIGHTS = b"weights"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VIDRESTORE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Entry:
    (tmp_path / "w.pth").write_bytes(WEIGHTS)
    known = Entry(
        name="w",
        purpose="tests",
        file_name="w.pth",
        licence="MIT",
        source=Url(address=(tmp_path / "w.pth").as_uri()),
        sha256=hashlib.sha256(WEIGHTS).hexdigest(),
    )
    monkeypatch.setattr(models, "CATALOGUE", (known,))
    monkeypatch.setattr(models, "find_entry", lambda name: known)
    return known


def test_the_list_names_all_weights_with_licence_and_state(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.split()[0] for line in lines] == [entry.name for entry in CATALOGUE]
    for line, entry in zip(lines, CATALOGUE, strict=True):
        assert entry.licence.split(":")[0] in line
    embedded = [isinstance(entry.source, Embedded) for entry in CATALOGUE]
    assert ["embedded" in line.split() for line in lines] == embedded
    assert any("not downloaded" in line for line in lines)


def test_the_list_is_json_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == [entry.name for entry in CATALOGUE]
    assert all(row.keys() == {"name", "purpose", "bytes", "licence", "state", "path"} for row in rows)
    (compact,) = [row for row in rows if row["name"] == "compact"]
    assert (compact["state"], Path(compact["path"]).stat().st_size) == ("embedded", compact["bytes"])


def test_pulling_twice_downloads_once(
    entry: Entry, own_cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "pull", "w"]) == 0
    assert capsys.readouterr().out == f"w downloaded to: {own_cache / 'w' / 'w.pth'}\nlicence: MIT\n"
    assert main(["models", "pull", "w"]) == 0
    assert "is downloaded already" in capsys.readouterr().out
    assert main(["models", "list"]) == 0
    assert "cached" in capsys.readouterr().out


def test_a_failed_download_prints_one_error_line_and_exits_with_1(
    entry: Entry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "w.pth").write_bytes(b"something else")
    assert main(["models", "pull", "w"]) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("vidrestore: error: the file from file://")
    assert printed.count("\n") == 1
