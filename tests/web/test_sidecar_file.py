"""The page writes a video's sidecar; changes by others are never lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the extra [web] is not installed")

from tests.web.ask import Answer, Asker
from vidrestore.settings import make_settings
from vidrestore.settings.sidecar import parse_sidecar
from vidrestore.settings.yaml_file import read_yaml
from vidrestore.web import sidecar_file

PEOPLE = {"p0": {"tracks": [0, 3], "strength": 0.5}, "p1": {"tracks": [1]}}
SCENES = {"0": {"start": 0.0}, "1": {"start": 2.4, "people": {"p1": {"restore": False}}}}


def put(ask: Asker, root: Path, digest: str | None = None, **changes: Any) -> Answer:
    body = {
        "path": str(root / "film.mp4"),
        "digest": digest,
        "frames": 90,
        "people": PEOPLE,
        "scenes": SCENES,
    }
    return ask("/api/sidecar", method="PUT", body={**body, **changes})


def test_a_written_sidecar_is_read_by_the_page_and_by_the_command(ask: Asker, root: Path) -> None:
    query = {"path": str(root / "film.mp4")}
    assert ask("/api/sidecar", query=query).json["sidecar"] is None
    status, _, _ = written = put(ask, root)
    assert (status, written.json["copy"]) == (200, None)
    assert ask("/api/sidecar", query=query).json == written.json
    file = root / "film.mp4.yaml"
    assert written.json["path"] == str(file)
    sidecar = make_settings(sidecar=str(file)).sidecar
    assert sidecar is not None
    assert sidecar.people["p0"].strength == 0.5
    assert sidecar.scenes[1].people["p1"].restore is False
    assert sidecar.video.bytes == 6
    assert [path.name for path in root.iterdir() if path.name.startswith(".")] == []


def test_a_change_replaces_the_file_that_was_read_and_no_other(ask: Asker, root: Path) -> None:
    digest = put(ask, root).json["digest"]
    changed = put(ask, root, digest, people={"p0": {"tracks": [0], "grain": 0.1}}, scenes={})
    assert (changed.status, changed.json["copy"]) == (200, None)
    for old in (digest, None):  # what was read is no longer what is there
        refused = put(ask, root, old)
        assert refused.status == 409
        assert "has changed since it was read" in refused.json["error"]
    assert ask("/api/sidecar", query={"path": str(root / "film.mp4")}).json == changed.json


def test_comments_of_the_user_are_kept_in_a_copy(ask: Asker, root: Path) -> None:
    put(ask, root)
    file = root / "film.mp4.yaml"
    edited = file.read_text() + "# ask Maria about scene 2\n"
    file.write_text(edited)
    digest = ask("/api/sidecar", query={"path": str(root / "film.mp4")}).json["digest"]
    (root / "film.mp4.yaml.bak").write_text("another copy")
    written = put(ask, root, digest)
    assert written.json["copy"] == str(root / "film.mp4.yaml.bak1")
    assert (root / "film.mp4.yaml.bak1").read_text() == edited
    assert (root / "film.mp4.yaml.bak").read_text() == "another copy"


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"people": {"p0": {"tracks": [0], "strength": 7}}}, "people / p0 / strength"),
        ({"scenes": {"0": {"people": {"p9": {}}}}}, "p9"),
        ({"scenes": {"first": {}}}, "scenes"),
        ({"frames": -1}, "frames"),
        ({"people": []}, "people"),
        ({"more": 1}, "more"),
    ],
)
def test_an_invalid_sidecar_is_not_written(
    ask: Asker, root: Path, changes: dict[str, Any], match: str
) -> None:
    refused = put(ask, root, **changes)
    assert refused.status == 422
    assert match in refused.json["error"]
    assert not (root / "film.mp4.yaml").exists()


@pytest.mark.parametrize("kind", ["a configuration", "a link", "a folder"])
def test_an_existing_file_that_is_no_sidecar_is_kept(
    ask: Asker, root: Path, kind: str, tmp_path: Path
) -> None:
    file, other = root / "film.mp4.yaml", tmp_path / "other.yaml"
    other.write_text("strength: 0.5\n")
    if kind == "a link":
        file.symlink_to(other)
    elif kind == "a folder":
        file.mkdir()
    else:
        file.write_text("strength: 0.5\n")
    before = file.is_dir() or file.read_text()
    assert ask("/api/sidecar", query={"path": str(root / "film.mp4")}).status in (403, 422)
    assert put(ask, root).status in (403, 409, 422)
    assert (file.is_dir() or file.read_text()) == before
    assert other.read_text() == "strength: 0.5\n"


def test_a_job_keeps_the_sidecar_that_it_was_given(ask: Asker, root: Path) -> None:
    written = put(ask, root).json
    for given in (written["path"], written["sidecar"]):
        body = {
            "input": str(root / "film.mp4"),
            "output": str(root / "new.mp4"),
            "settings": {"sidecar": given},
        }
        made = ask("/api/jobs", method="POST", body=body)
        assert made.status == 201
        kept = ask.runner.store.get(made.json["id"]).settings["sidecar"]
        expected = parse_sidecar(read_yaml(root / "film.mp4.yaml"), "x")
        assert make_settings(sidecar=kept).sidecar == expected


def test_a_sidecar_of_another_video_is_refused_with_the_job(ask: Asker, root: Path) -> None:
    written = put(ask, root).json
    (root / "other.mp4").write_bytes(b"another film")
    body = {"input": str(root / "other.mp4"), "output": str(root / "new.mp4")}
    refused = ask("/api/jobs", method="POST", body={**body, "settings": {"sidecar": written["path"]}})
    assert refused.status == 422
    assert "was written for film.mp4" in refused.json["error"]


def test_a_folder_replaced_by_a_link_during_a_write_is_not_followed(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder that was checked is the one that is written into, whatever its name leads to by then."""
    (root / "below").mkdir()
    (root / "below" / "film.mp4").write_bytes(b"a film")
    (tmp_path / "elsewhere").mkdir()
    ask, keep = Asker(root, tmp_path / "state"), sidecar_file._keep_comments

    def swap(*given: Any) -> Path | None:
        (root / "below").rename(root / "moved")
        (root / "below").symlink_to(tmp_path / "elsewhere")
        return keep(*given)

    monkeypatch.setattr(sidecar_file, "_keep_comments", swap)
    assert put(ask, root, path=str(root / "below" / "film.mp4")).status == 200
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert (root / "moved" / "film.mp4.yaml").is_file()
