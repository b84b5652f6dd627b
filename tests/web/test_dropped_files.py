"""Small files that are dropped into the page: within limits, under safe names, none replaced."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="the extra [web] is not installed")

from tests.support.clips import Clip, make_clip
from tests.web.ask import Answer, Asker
from vidrestore.errors import UsageError
from vidrestore.web import access, dropped_files
from vidrestore.web.dropped_files import DroppedFiles


@pytest.fixture
def ask(tmp_path: Path) -> Asker:
    (tmp_path / "root").mkdir()
    return Asker(tmp_path / "root", tmp_path / "state")


@pytest.fixture
def film(tmp_path: Path) -> bytes:
    return make_clip(tmp_path / "film.mkv", Clip(frames=3)).read_bytes()


@pytest.fixture
def any_is_a_video(ask: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ask.media, "facts", lambda _, **how: {})


def drop(ask: Asker, name: str, content: bytes, **how: bool) -> Answer:
    return ask("/api/dropped", method="PUT", query={"name": name}, raw=content, **how)


def names(ask: Asker) -> list[str]:
    return sorted(path.name for path in ask.dropped.folder.iterdir())


def test_a_file_is_kept_opened_and_removed(ask: Asker, film: bytes) -> None:
    status, _, _ = dropped = drop(ask, "ä film.mkv", film)
    path = Path(dropped.json["path"])
    assert (status, path.read_bytes()) == (201, film)
    assert path.parent == ask.dropped.folder
    assert ask("/api/video", query={"path": str(path)}).json["frames"] in (3, None)
    assert ask("/api/folders").json["dropped"] == str(ask.dropped.folder)
    assert ask("/api/dropped", method="DELETE", query={"name": path.name}).status == 200
    assert names(ask) == []
    ask.media.close()


@pytest.mark.usefixtures("any_is_a_video")
def test_a_dropped_file_replaces_no_earlier_one(ask: Asker) -> None:
    for number in range(3):
        drop(ask, "film.mkv", bytes([number]))
    assert names(ask) == ["film-2.mkv", "film-3.mkv", "film.mkv"]
    assert (ask.dropped.folder / "film.mkv").read_bytes() == b"\0"


def test_a_dropped_file_that_is_no_video_is_not_kept(ask: Asker) -> None:
    refused = drop(ask, "film.mkv", b"no video")
    assert refused.status == 422
    assert names(ask) == []
    ask.media.close()


@pytest.mark.usefixtures("any_is_a_video")
@pytest.mark.parametrize(
    "name",
    ["../film.mkv", "/etc/film.mkv", "..", ".film.mkv", "a/b.mkv", "a\\b.mkv", "film.mkv\0", "film\n.mkv",
     "film.sh", "film", "arguments.txt", f"{'x' * 200}.mkv", "film.mkv.yaml", "\u202egpj.mkv"],
)  # fmt: skip
def test_unsafe_names_of_dropped_files_are_refused(ask: Asker, name: str) -> None:
    assert drop(ask, name, b"x").status == 422
    assert names(ask) == []
    assert ask("/api/dropped", method="DELETE", query={"name": name}).status == 422


@pytest.mark.usefixtures("any_is_a_video")
def test_sizes_and_counts_have_limits(ask: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dropped_files, "MAX_FILE_BYTES", 10)
    monkeypatch.setattr(dropped_files, "MAX_BYTES", 25)
    monkeypatch.setattr(dropped_files, "MAX_FILES", 3)
    assert drop(ask, "a.mkv", b"x" * 11).status == 422
    assert drop(ask, "a.mkv", b"x" * 10).status == 201
    assert drop(ask, "b.mkv", b"x" * 10).status == 201
    assert drop(ask, "c.mkv", b"x" * 6).status == 422  # of all together
    assert drop(ask, "c.mkv", b"x").status == 201
    refused = drop(ask, "d.mkv", b"x")
    assert "there are 3 dropped files already" in refused.json["error"]
    assert names(ask) == ["a.mkv", "b.mkv", "c.mkv"]


async def slow_pieces(sizes: list[int]) -> AsyncIterator[bytes]:
    """Pieces between which other uploads continue."""
    for size in sizes:
        yield b"x" * size
        await asyncio.sleep(0)


async def take_together(files: DroppedFiles, *uploads: list[int]) -> list[Path | BaseException]:
    """Takes files that arrive at the same time, each with pieces of these sizes."""
    taken = (files.take(f"{number}.mkv", slow_pieces(sizes)) for number, sizes in enumerate(uploads))
    return await asyncio.gather(*taken, return_exceptions=True)


def test_the_limit_for_all_files_holds_for_files_that_arrive_at_the_same_time(
    ask: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dropped_files, "MAX_BYTES", 25)
    (ask.dropped.folder / "kept.mkv").write_bytes(b"x" * 5)
    first, second = asyncio.run(take_together(ask.dropped, [10, 5], [10]))
    assert isinstance(first, UsageError)
    assert isinstance(second, Path)
    assert names(ask) == ["1.mkv", "kept.mkv"]
    one, two, three = asyncio.run(take_together(ask.dropped, [1, 1, 1], [5], [2]))
    assert (one, two, three) == tuple(ask.dropped.folder / name for name in ("0.mkv", "1-2.mkv", "2.mkv"))
    assert sum(path.stat().st_size for path in ask.dropped.folder.iterdir()) == 25


def test_an_upload_that_is_refused_leaves_its_room_to_others(
    ask: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dropped_files, "MAX_BYTES", 20)
    monkeypatch.setattr(dropped_files, "MAX_FILE_BYTES", 12)
    first, second = asyncio.run(take_together(ask.dropped, [9, 4], [8, 0, 4]))
    assert isinstance(first, UsageError)
    assert isinstance(second, Path)
    assert names(ask) == ["1.mkv"]


def test_a_size_that_is_stated_too_large_is_not_read(ask: Asker) -> None:
    size = str(dropped_files.MAX_FILE_BYTES + 1)
    answer = ask("/api/dropped", method="PUT", query={"name": "a.mkv"}, headers={"content-length": size})
    assert answer.status == 413
    other = ask("/api/jobs", method="PUT", headers={"content-length": str(access.MAX_BODY_BYTES + 1)})
    assert other.status == 413


@pytest.mark.usefixtures("any_is_a_video")
def test_a_file_that_does_not_arrive_as_a_whole_is_not_kept(ask: Asker) -> None:
    assert drop(ask, "a.mkv", b"half", is_broken_off=True).status == 422
    assert names(ask) == []


def test_unfinished_files_of_a_killed_server_are_removed(ask: Asker) -> None:
    (ask.dropped.folder / ".1-2.new").write_bytes(b"half")
    DroppedFiles(ask.dropped.folder.parent)
    assert names(ask) == []


@pytest.mark.usefixtures("any_is_a_video")
def test_links_in_the_folder_are_not_followed(ask: Asker, tmp_path: Path) -> None:
    (tmp_path / "secret.mkv").write_bytes(b"secret")
    (ask.dropped.folder / "film.mkv").symlink_to(tmp_path / "secret.mkv")
    assert drop(ask, "film.mkv", b"mine").json["path"].endswith("film-2.mkv")
    assert ask("/api/media", query={"path": str(ask.dropped.folder / "film.mkv")}).status == 403
    assert (tmp_path / "secret.mkv").read_bytes() == b"secret"
