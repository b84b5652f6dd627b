"""A download is complete and checked, or it does not exist."""

from __future__ import annotations

import errno
import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from vidrestore.errors import DownloadError, UsageError, WeightsError
from vidrestore.weights import Entry, HubFile, Url, cache, cache_folder, find_entry, model_path, pull
from vidrestore.weights.cache import weights_path

WEIGHTS = b"weights " * 4096
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()


class QuietFiles(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


class CutShort(BaseHTTPRequestHandler):
    """Promises all the bytes, sends half of them and hangs up."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(WEIGHTS)))
        self.end_headers()
        self.wfile.write(WEIGHTS[: len(WEIGHTS) // 2])

    def log_message(self, format: str, *args: Any) -> None:
        pass


class FakeHub(BaseHTTPRequestHandler):
    """As much of Hugging Face as one large file needs."""

    etag = SHA256

    def do_HEAD(self) -> None:
        self._headers()

    def do_GET(self) -> None:
        self._headers()
        self.wfile.write(WEIGHTS)

    def _headers(self) -> None:
        self.send_response(200)
        self.send_header("X-Repo-Commit", "c" * 40)
        self.send_header("X-Linked-Etag", f'"{self.etag}"')
        self.send_header("ETag", f'"{self.etag}"')
        self.send_header("X-Linked-Size", str(len(WEIGHTS)))
        self.send_header("Content-Length", str(len(WEIGHTS)))
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


class HubWithAnotherFile(FakeHub):
    etag = "0" * 64


class Served:
    """A server on this machine that can be switched off."""

    def __init__(self, handler: Any) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        self.running = True

    def stop(self) -> None:
        if self.running:
            self.running = False
            self.server.shutdown()
            self.server.server_close()
            self.thread.join()


@pytest.fixture
def serve() -> Iterator[Any]:
    started: list[Served] = []

    def start(handler: Any) -> Served:
        started.append(Served(handler))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VIDRESTORE_CACHE", str(tmp_path / "cache"))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "cache"


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A folder to serve, with the weights in it."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    (folder / "w.pth").write_bytes(WEIGHTS)
    return folder


def entry_at(address: str, sha256: str | None = SHA256) -> Entry:
    return Entry(
        name="w",
        purpose="tests",
        file_name="w.pth",
        licence="MIT",
        source=Url(address=address),
        sha256=sha256,
    )


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file()) if folder.exists() else []


def test_weights_are_fetched_with_progress_then_used_without_the_network(serve: Any, shelf: Path) -> None:
    server = serve(partial(QuietFiles, directory=str(shelf)))
    entry = entry_at(f"{server.address}/w.pth")
    seen: list[tuple[int, int | None]] = []
    first = pull(entry, lambda done, total: seen.append((done, total)))
    server.stop()
    second = pull(entry)
    assert first.downloaded
    assert first.path.read_bytes() == WEIGHTS
    assert seen[-1] == (len(WEIGHTS), len(WEIGHTS))
    assert (second.path, second.downloaded) == (first.path, False)


def test_a_file_address_works_as_well(shelf: Path, own_cache: Path) -> None:
    pulled = pull(entry_at((shelf / "w.pth").as_uri()))
    assert pulled.path == own_cache / "w" / "w.pth"
    assert not pulled.trusted


def test_a_wrong_checksum_leaves_nothing_behind(shelf: Path, own_cache: Path) -> None:
    with pytest.raises(DownloadError, match=r"is not 'w'.*removed"):
        pull(entry_at((shelf / "w.pth").as_uri(), sha256="0" * 64))
    assert leftovers(own_cache) == []


def test_a_connection_that_ends_early_leaves_nothing_behind(serve: Any, own_cache: Path) -> None:
    with pytest.raises(DownloadError, match="ended after"):
        pull(entry_at(f"{serve(CutShort).address}/w.pth", sha256=None))
    assert leftovers(own_cache) == []


def test_an_interrupt_leaves_nothing_behind(shelf: Path, own_cache: Path) -> None:
    def interrupt(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(entry_at((shelf / "w.pth").as_uri()), interrupt)
    assert leftovers(own_cache) == []


def test_the_error_without_a_network_says_where_to_put_the_file(serve: Any, own_cache: Path) -> None:
    server = serve(QuietFiles)
    server.stop()
    with pytest.raises(DownloadError, match="check the network, or put the file at") as caught:
        pull(entry_at(f"{server.address}/w.pth"))
    assert "\n" not in str(caught.value)
    assert str(own_cache) in str(caught.value)
    assert list(own_cache.iterdir()) == []


def test_a_full_disk_is_reported_as_such(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cache, "_fetch", full)
    with pytest.raises(DownloadError, match="is full"):
        pull(entry_at((shelf / "w.pth").as_uri()))


def test_an_unknown_checksum_is_trusted_once_and_checked_afterwards(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = entry_at((shelf / "w.pth").as_uri(), sha256=None)
    monkeypatch.setattr(cache, "find_entry", lambda name: entry)
    pulled = pull(entry)
    assert pulled.trusted
    assert pulled.sha256 == SHA256
    assert weights_path("w") == pulled.path
    pulled.path.write_bytes(b"something else")
    with pytest.raises(WeightsError, match="damaged"):
        weights_path("w")
    assert pull(entry).path.read_bytes() == WEIGHTS


def test_a_manually_placed_file_is_accepted_if_its_checksum_is_right(own_cache: Path) -> None:
    (own_cache / "w").mkdir(parents=True)
    (own_cache / "w" / "w.pth").write_bytes(WEIGHTS)
    assert not pull(entry_at("https://nowhere.invalid/w.pth")).downloaded


def hub_entry(address: str) -> Entry:
    source = HubFile(repository="someone/weights", file="w.ckpt", endpoint=address)
    return Entry(name="w", purpose="tests", file_name="w.ckpt", licence="MIT", source=source)


def test_a_file_must_match_the_checksum_that_the_hub_states(serve: Any, own_cache: Path) -> None:
    pulled = pull(hub_entry(serve(FakeHub).address))
    assert pulled.path.read_bytes() == WEIGHTS
    assert pulled.trusted
    assert leftovers(own_cache) == ["w.ckpt", "w.ckpt.sha256"]
    pulled.path.unlink()
    other = hub_entry(serve(HubWithAnotherFile).address)
    with pytest.raises(DownloadError, match="is not 'w'"):
        pull(other)
    assert not pulled.path.exists()


def test_an_unreachable_hub_is_a_download_error(serve: Any) -> None:
    server = serve(FakeHub)
    server.stop()
    with pytest.raises(DownloadError, match=r"cannot fetch 'w' from huggingface.co/someone/weights/w.ckpt"):
        pull(hub_entry(server.address))


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"VIDRESTORE_CACHE": "/a/b", "XDG_CACHE_HOME": "/x"}, "/a/b"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/vidrestore"),
        ({"HOME": "/home/me"}, "/home/me/.cache/vidrestore"),
    ],
)
def test_the_cache_lies_where_the_environment_says(
    variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("VIDRESTORE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == Path(expected)


def test_a_model_is_a_name_or_a_path(tmp_path: Path) -> None:
    (tmp_path / "mine.safetensors").write_bytes(b"x")
    assert model_path(str(tmp_path / "mine.safetensors")) == tmp_path / "mine.safetensors"
    with pytest.raises(WeightsError, match="vidrestore models pull daefr"):
        model_path("daefr")
    with pytest.raises(WeightsError, match="no weights at"):
        model_path(str(tmp_path / "absent.safetensors"))


def test_an_unknown_name_lists_those_there_are() -> None:
    with pytest.raises(UsageError, match="compact, evidence, evidence_half, evidence_refinement, yunet, "):
        find_entry("gfpgan")
