"""A host may reply with anything, or very slowly: a download gives the stated file or one error message."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vidrestore.errors import DownloadError, WeightsError
from vidrestore.weights import Entry, Url, cache, download, pull
from vidrestore.weights.cache import weights_path

DATA = b"weights " * 1000
Reply = Callable[[socket.socket], None]


@pytest.fixture
def serve() -> Iterator[Callable[[Reply], str]]:
    """Starts a host that gives each request the reply; its address."""
    open_sockets: list[socket.socket] = []
    stopped = threading.Event()

    def start(reply: Reply) -> str:
        listening = socket.create_server(("127.0.0.1", 0))
        open_sockets.append(listening)

        def answer() -> None:
            while not stopped.is_set():
                try:
                    connection, _ = listening.accept()
                    connection.recv(4096)
                    reply(connection)
                    connection.close()
                except OSError:
                    continue

        threading.Thread(target=answer, daemon=True).start()
        return f"http://127.0.0.1:{listening.getsockname()[1]}/w.pth"

    yield start
    stopped.set()
    for each in open_sockets:
        each.close()


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VIDRESTORE_CACHE", str(tmp_path / "cache"))
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "cache"


def entry_at(address: str, size: int | None = None) -> Entry:
    return Entry(
        name="w", purpose="tests", file_name="w.pth", licence="MIT", source=Url(address=address), size=size
    )


def refused(entry: Entry, own_cache: Path, words: str = "") -> None:
    with pytest.raises(DownloadError, match=words) as caught:
        pull(entry)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700
    assert [path for path in own_cache.rglob("*") if path.is_file()] == []


def canned(head: str, data: bytes = DATA) -> Reply:
    return lambda connection: connection.sendall(
        head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n" + data
    )


OK = "HTTP/1.1 200 OK\n"


@pytest.mark.parametrize(
    "head",
    [
        f"{OK}Content-Length: many", f"{OK}Content-Length: -1", f"{OK}Content-Length: {'9' * 5000}",
        f"{OK}Content-Length: \xb2", f"{OK}Content-Length: 99999",
        f"{OK}Transfer-Encoding: chunked", "HTTP/1.1 999", "no HTTP at all", "", "HTTP/1.1 204 No Content",
        "HTTP/1.1 404 \x1b[2J\x1b]0;title\x07", "HTTP/1.1 301 Moved",
        *(
            f"HTTP/1.1 302 Found\nLocation: {to}"
            for to in (
                "http://[::1", "http://host:99999999/", "file:///etc/passwd", "ftp://x/", "gopher://x",
                "//", "\xff", "http://\xe9/", "http://a" + "a" * 5000, "javascript:1", "http://127.0.0.1:1/",
                "/w.pth",
            )
        ),
        OK + "".join(f"X-{n}: y\n" for n in range(200)).rstrip(),
        f"{OK}X: {'y' * 100_000}",
    ],
    ids=lambda head: head[:60].encode("unicode_escape").decode(),
)  # fmt: skip
def test_an_unusable_reply_gives_one_error_message(
    serve: Callable[[Reply], str], own_cache: Path, head: str
) -> None:
    refused(entry_at(serve(canned(head))), own_cache, "cannot fetch 'w'")


@pytest.mark.parametrize("length", ["", "Content-Length: 1000000000\n"])
def test_a_download_is_stopped_at_its_stated_size(
    serve: Callable[[Reply], str], own_cache: Path, length: str
) -> None:
    sent = 0

    def flood(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(f"HTTP/1.1 200 OK\r\n{length}\r\n".encode())
        while sent < 10**9:
            sent += connection.send(bytes(2**16))

    refused(entry_at(serve(flood), size=100_000), own_cache, "more than 100000|offers 1000000000 bytes")
    assert sent < 20e6


def test_without_a_stated_size_a_limit_holds(
    serve: Callable[[Reply], str], own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "_MAX_BYTES", 5000)
    refused(entry_at(serve(canned("HTTP/1.1 200 OK"))), own_cache, "more than 5000 bytes")
    refused(
        entry_at(serve(canned("HTTP/1.1 200 OK\nContent-Length: 8000"))), own_cache, "8000 bytes, more than"
    )


@pytest.mark.parametrize("where", ["head", "body", "silence"])
def test_a_host_that_sends_too_slowly_is_abandoned(
    serve: Callable[[Reply], str], own_cache: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr(download, "_BASE_SECONDS", 1.0)
    monkeypatch.setattr(download, "_LEAST_BYTES_A_SECOND", 10**12)

    drip_ended = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(
            b"HTTP/1.1 200 OK\r\n" + (b"X: " if where == "head" else b"Content-Length: 8000\r\n\r\n")
        )
        for _ in range(600):
            time.sleep(0.1)
            if where != "silence":
                connection.sendall(b"y")
        drip_ended.set()

    refused(entry_at(serve(drip)), own_cache, "cannot fetch 'w'")
    assert not drip_ended.is_set()


@pytest.mark.parametrize("content", [b"", b"\n", b"abc", b"\xff\xfe", b"0" * 63, b"G" * 64, None])
def test_a_checksum_that_cannot_be_read_is_not_taken_for_none(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    entry = entry_at("https://nowhere.invalid/w.pth")
    monkeypatch.setattr(cache, "find_entry", lambda name: entry)
    (own_cache / "w").mkdir(parents=True)
    (own_cache / "w" / "w.pth").write_bytes(b"somebody else's weights")
    recorded = own_cache / "w" / "w.pth.sha256"
    recorded.mkdir() if content is None else recorded.write_bytes(content)
    for read in (lambda: pull(entry), lambda: weights_path("w")):
        with pytest.raises(WeightsError, match=r"the checksum in .* cannot be read; delete it"):
            read()
    assert (own_cache / "w" / "w.pth").read_bytes() == b"somebody else's weights"


def test_a_redirect_to_an_unencrypted_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import urllib.request
    from urllib.error import HTTPError

    handler = download._NoDowngrade()
    request = urllib.request.Request("https://host/w.pth")
    for address in ("http://host/w.pth", "HTTP://host/w.pth", "ftp://host/w.pth"):
        with pytest.raises(HTTPError, match="unencrypted"):
            handler.redirect_request(request, None, 302, "Found", {}, address)
    assert handler.redirect_request(request, None, 302, "Found", {}, "https://other/w.pth") is not None
