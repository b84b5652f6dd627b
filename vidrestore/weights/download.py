"""Downloads over HTTP with limits on size and on total time."""

from __future__ import annotations

import io
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

DownloadCallback = Callable[[int, int | None], None]
"""Called with the bytes so far and in total; the total is None if the host does not state it."""

_CHUNK_BYTES = 1 << 16
_SILENCE_SECONDS = 30.0
"""Time without any byte after which the download fails."""
_BASE_SECONDS, _LEAST_BYTES_A_SECOND = 120.0, 20_000
"""The slowest rate: it limits the time of a whole download."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of a download."""

    size: int | None
    """Its exact size in bytes; None: unknown."""
    max_bytes: int
    """Its largest size in bytes."""

    @property
    def seconds(self) -> float:
        """For all of it."""
        return _BASE_SECONDS + (self.size or self.max_bytes) / _LEAST_BYTES_A_SECOND


def download(address: str, target: Path, limits: Limits, on_progress: DownloadCallback | None) -> None:
    """Downloads a file to the new file `target`.

    Args:
        address: An https:, http: or file: address.
        target: The file to write.
        limits: Limits of size and time.
        on_progress: Called with the bytes so far and in total.

    Raises:
        OSError: It cannot be downloaded, has another size, or takes too long.
    """
    deadline = time.monotonic() + limits.seconds
    try:
        with _open(address, deadline) as reply, target.open("xb") as file:
            _copy(reply, file, limits, deadline, on_progress)
    except (OSError, HTTPException):
        raise
    except Exception as error:  # errors of the reader for invalid addresses, numbers and names in the reply
        raise OSError(f"the host's reply is invalid: {error}") from error


def _copy(
    reply: Any, file: io.BufferedWriter, limits: Limits, deadline: float, on_progress: DownloadCallback | None
) -> None:
    stated = _content_length(reply.headers.get("Content-Length"))
    if limits.size is not None and stated not in (None, limits.size):
        raise OSError(f"the host offers {stated} bytes instead of {limits.size}")
    total = limits.size if limits.size is not None else stated
    most = min(limits.max_bytes, total if total is not None else limits.max_bytes)
    if total is not None and total > limits.max_bytes:
        raise OSError(f"the host offers {total} bytes, more than any weights have")
    done = 0
    read = getattr(reply, "read1", reply.read)  # a response to a file: address has no read1
    while chunk := read(_CHUNK_BYTES):
        done += len(chunk)
        if done > most:
            raise OSError(f"the host sends more than {most} bytes")
        if time.monotonic() > deadline:
            raise TimeoutError(f"only {done} bytes arrived in {round(limits.seconds)} seconds")
        file.write(chunk)
        if on_progress is not None:
            on_progress(done, total)
    if not done:
        raise OSError("the host sent nothing")
    # A connection that is closed early reads as the end of the file.
    if total is not None and done != total:
        raise OSError(f"the connection ended after {done} of {total} bytes")


def _content_length(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise OSError("the host's reply is invalid: its length is not a number")
    return int(text)


def _open(address: str, deadline: float) -> Any:
    """The reply. Reading it ends at `deadline` at the latest."""

    class Response(HTTPResponse):
        def __init__(self, sock: Any, *arguments: Any, **named: Any) -> None:
            super().__init__(sock, *arguments, **named)
            self.fp.close()
            self.fp = io.BufferedReader(_DeadlineReader(sock, deadline))

    class Plain(HTTPConnection):
        response_class = Response

    class Secure(HTTPSConnection):
        response_class = Response

    class PlainHandler(urllib.request.HTTPHandler):
        def http_open(self, request: urllib.request.Request) -> Any:
            return self.do_open(Plain, request)

    class SecureHandler(urllib.request.HTTPSHandler):
        def https_open(self, request: urllib.request.Request) -> Any:
            return self.do_open(Secure, request)

    opener = urllib.request.build_opener(PlainHandler, SecureHandler, _NoDowngrade)
    request = urllib.request.Request(address, headers={"User-Agent": "vidrestore"})
    return opener.open(request, timeout=_SILENCE_SECONDS)


class _NoDowngrade(urllib.request.HTTPRedirectHandler):
    """Follows redirections, but not from an encrypted address to an unencrypted one."""

    def redirect_request(
        self, request: Any, file: Any, code: int, message: str, headers: Any, address: str
    ) -> Any:
        if request.full_url.startswith("https:") and not address.lower().startswith("https:"):
            raise HTTPError(
                request.full_url, code, "the host redirects to an unencrypted address", headers, file
            )
        return super().redirect_request(request, file, code, message, headers, address)


class _DeadlineReader(io.RawIOBase):
    """The bytes of a socket, with a limit for each wait and a deadline for all."""

    def __init__(self, sock: Any, deadline: float) -> None:
        self._sock, self._deadline = sock, deadline
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("it took too long")
        self._sock.settimeout(min(_SILENCE_SECONDS, left))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
