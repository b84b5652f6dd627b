"""A user's files with the names of journals or parts folders are not changed, and block nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import vidrestore
from tests.support.films import make_film
from tests.support.jobs import assert_equal, interrupted_run, names_in
from tests.support.user_files import USERS_OWN, snapshot
from vidrestore import video
from vidrestore.errors import OutputError
from vidrestore.jobs import restore as restore_module
from vidrestore.jobs.batch_record import RECORD, BatchRecord

NAMES = [".out.mkv.vidrestore", ".out.mkv.vidrestore-parts", ".out.mkv.vidrestore-journal"]
HOW: dict[str, Any] = {"codec": "ffv1"}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_film(tmp_path_factory.mktemp("input") / "in.mkv", 4, ())


@pytest.mark.parametrize("kind", USERS_OWN)
@pytest.mark.parametrize("name", NAMES)
def test_a_run_in_segments_is_refused_if_a_user_file_is_named_like_its_journal(
    source: Path, tmp_path: Path, name: str, kind: str
) -> None:
    USERS_OWN[kind](tmp_path / name)
    before = snapshot(tmp_path)
    with pytest.raises(OutputError, match=r"move it away") as caught:
        vidrestore.restore(source, tmp_path / "out.mkv", **HOW, segment=1)
    assert str(tmp_path / name) in str(caught.value)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("kind", ["a file", "a folder", "a link to a folder", "a FIFO"])
def test_a_run_without_segments_ignores_user_files_named_like_its_journal(
    source: Path, tmp_path: Path, kind: str
) -> None:
    for number, name in enumerate(NAMES):
        if number == 0 or "link" not in kind:
            USERS_OWN[kind](tmp_path / name)
    before = snapshot(tmp_path)
    assert vidrestore.restore(source, tmp_path / "out.mkv", **HOW, segment=0).frames == 4
    (tmp_path / "out.mkv").unlink()
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("kind", USERS_OWN)
def test_a_users_file_with_the_name_of_the_batch_record_is_kept(tmp_path: Path, kind: str) -> None:
    USERS_OWN[kind](tmp_path / RECORD)
    before = snapshot(tmp_path)
    with pytest.raises(OutputError, match=r"move it away"):
        BatchRecord(tmp_path)
    assert snapshot(tmp_path) == before


def test_a_users_file_among_the_parts_stays(tmp_path: Path) -> None:
    source, output = interrupted_run(tmp_path)
    parts = tmp_path / ".out.mkv.vidrestore-parts"
    (parts / "notes.txt").write_bytes(b"why it takes so long")
    (tmp_path / "elsewhere.mkv").write_bytes(b"another film")
    (parts / "00001-0.part.new").symlink_to(tmp_path / "elsewhere.mkv")
    with pytest.raises(OutputError):
        vidrestore.restore(source, output, **HOW, segment=1)
    assert (tmp_path / "elsewhere.mkv").read_bytes() == b"another film"
    (parts / "00001-0.part.new").unlink()
    assert vidrestore.restore(source, output, **HOW, segment=1).frames == 90
    assert_equal(source, output)
    assert "notes.txt" in names_in(parts)


def test_an_output_that_appears_during_a_run_and_the_segments_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, output = make_film(tmp_path / "in.mkv", 90, ()), tmp_path / "out.mkv"
    join = video.join_segments

    def join_while_another_writes(*arguments: Any) -> None:
        join(*arguments)
        output.write_bytes(b"another's result")

    with monkeypatch.context() as patch:
        patch.setattr(restore_module.video, "join_segments", join_while_another_writes)
        with pytest.raises(
            OutputError, match=r"out\.mkv exists already; .* --overwrite .*3 segments are kept"
        ):
            vidrestore.restore(source, output, **HOW, segment=1)
    assert output.read_bytes() == b"another's result"
    with pytest.raises(OutputError, match="exists already"):
        vidrestore.resume(output)
    assert vidrestore.restore(source, output, **HOW, segment=1, overwrite=True).frames == 90
    assert_equal(source, output)
    assert names_in(tmp_path) == ["in.mkv", "out.mkv"]
