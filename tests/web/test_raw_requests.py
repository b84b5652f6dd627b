"""Attacks on a real socket: what no well-behaved client would send."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="the extra [web] is not installed")

import uvicorn

from tests.web.ask import TOKEN, Asker
from vidrestore.web import access, slow_clients
from vidrestore.web.access import MAX_BODY_BYTES, AccessControl
from vidrestore.web.server import server_config

LIMIT_SECONDS = 60
Send = Callable[[bytes], bytes]


@pytest.fixture
def send(tmp_path: Path) -> Iterator[Send]:
    """Sends bytes to a server; `HOST` and `TOKEN` in them are the server's. Gives all that it answers."""
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "film.mp4").write_bytes(b"film")
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    port = listening.getsockname()[1]
    host = f"127.0.0.1:{port}".encode()
    service = Asker(tmp_path / "root", tmp_path / "state").service
    app = AccessControl(service.app(), token=TOKEN, hosts=[host.decode()])
    server = uvicorn.Server(server_config(app))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()

    def sending(data: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=LIMIT_SECONDS) as connection:
            connection.sendall(data.replace(b"HOST", host).replace(b"TOKEN", TOKEN.encode()))
            answer = b""
            try:
                while piece := connection.recv(65536):
                    answer += piece
            except ConnectionError:
                pass
            return answer

    yield sending
    server.should_exit = True
    thread.join(LIMIT_SECONDS)
    listening.close()
    assert not thread.is_alive()


HEAD = b"Host: HOST\r\nAuthorization: Bearer TOKEN\r\nConnection: close\r\n"


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def test_a_plain_request_is_answered(send: Send) -> None:
    assert status(send(b"GET /api/jobs HTTP/1.1\r\n" + HEAD + b"\r\n")) == 200


@pytest.mark.parametrize(
    "request_head",
    [
        b"GET /api/jobs HTTP/1.1\r\nHost: HOST\r\nHost: evil.example\r\nAuthorization: Bearer TOKEN\r\n",
        b"GET /api/jobs HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: HOST\r\n"
        b"Authorization: Bearer TOKEN\r\n",
        b"GET /api/jobs HTTP/1.0\r\nAuthorization: Bearer TOKEN\r\n",
        b"GET http://HOST/api/jobs HTTP/1.1\r\nHost: evil.example\r\nAuthorization: Bearer TOKEN\r\n",
        b"GET /api/jobs HTTP/1.1\r\nHost: HOST.\r\nAuthorization: Bearer TOKEN\r\n",
        b"GET /api/jobs HTTP/1.1\r\nHost: HOST\r\nX-Forwarded-For: 127.0.0.1\r\n",
        b"GET /api/jobs?token=TOKEN HTTP/1.1\r\nHost: HOST\r\n",
        b"GET /api/jobs HTTP/1.1\r\nHost: HOST\r\nCookie: vidrestore_token=TOKEN\r\n"
        b"Origin: http://evil.example\r\n",
    ],
)
def test_ambiguous_hosts_and_misplaced_tokens_are_refused(send: Send, request_head: bytes) -> None:
    assert status(send(request_head + b"Connection: close\r\n\r\n")) in (400, 401, 403)


@pytest.mark.parametrize(
    "path",
    [b"/page/../service.py", b"/page/..%2fservice.py", b"/page/%2e%2e/service.py", b"/page//etc/passwd",
     b"/page/..\\service.py", b"/page/%00", b"/page/app.js/..", b"/../state/jobs.sqlite"],
)  # fmt: skip
def test_the_pages_files_are_all_that_is_served_from_the_package(send: Send, path: bytes) -> None:
    answer = send(b"GET " + path + b" HTTP/1.1\r\n" + HEAD + b"\r\n")
    assert status(answer) in (400, 404, 405)
    assert b"root:" not in answer
    assert b"class Service" not in answer


def test_a_chunked_body_that_grows_beyond_the_limit_is_not_read(send: Send) -> None:
    piece = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    head = b"POST /api/jobs HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    answer = send(head + piece * (MAX_BODY_BYTES // 0x10000 + 2) + b"0\r\n\r\n")
    assert answer == b"" or status(answer) in (413, 422)


def test_two_lengths_of_a_body_are_refused(send: Send) -> None:
    head = b"POST /api/jobs HTTP/1.1\r\n" + HEAD + b"Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}"
    assert status(send(head)) == 400


def test_endless_headers_are_refused(send: Send) -> None:
    answer = send(b"GET / HTTP/1.1\r\n" + HEAD + b"X: " + b"x" * 2**20 + b"\r\n\r\n")
    assert answer == b"" or status(answer) == 400


@pytest.mark.parametrize("data", [b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"\0" * 1000 + b"\r\n\r\n"])
def test_data_that_is_no_http_is_refused_and_the_server_continues(send: Send, data: bytes) -> None:
    answer = send(data + b"\r\n\r\n")
    assert answer == b"" or status(answer) == 400
    assert status(send(b"GET /api/jobs HTTP/1.1\r\n" + HEAD + b"\r\n")) == 200


@pytest.mark.parametrize(
    "path",
    [b"%2e%2e%2fsecret.mp4", b"%252e%252e%252fsecret.mp4", b"%c0%ae%c0%ae/secret.mp4", b"..%5csecret.mp4",
     b"%ff.mp4", b"film.mp4%00.png", b"film.mp4&path=ROOT/../secret.mp4", b"film.mp4;path=ROOT/../secret.mp4",
     b"+/../secret.mp4", b"%u002e%u002e/secret.mp4"],
)  # fmt: skip
def test_no_encoding_of_a_path_leads_out(send: Send, tmp_path: Path, path: bytes) -> None:
    (tmp_path / "secret.mp4").write_bytes(b"a secret")
    root = str(tmp_path / "root").encode()
    target = b"/api/media?path=ROOT/" + path
    answer = send(b"GET " + target.replace(b"ROOT", root) + b" HTTP/1.1\r\n" + HEAD + b"\r\n")
    assert status(answer) in (400, 403)
    assert b"a secret" not in answer


def test_a_body_that_stops_is_not_waited_for(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "PIECE_SECONDS", 0.2)
    head = b"POST /api/jobs HTTP/1.1\r\n" + HEAD + b"Content-Length: 100\r\n\r\n"
    assert status(send(head + b"{")) == 422
    head = b"PUT /api/dropped?name=a.mkv HTTP/1.1\r\n" + HEAD + b"Content-Length: 100\r\n\r\n"
    assert status(send(head + b"{")) == 422


@pytest.mark.parametrize("data", [b"", b"GET /api/jobs HT", b"GET /api/jobs HTTP/1.1\r\nHost: HOST\r\nX: "])
def test_a_head_that_stops_is_not_waited_for(
    send: Send, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_clients, "HEAD_SECONDS", 0.2)
    assert send(data) == b""
    first = b"GET /api/jobs HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer TOKEN\r\n\r\n"
    answer = send(first + data)
    assert answer.count(b"HTTP/1.1 200") == 1
