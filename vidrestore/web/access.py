"""Access control: requests need the token and the right host name, and no other page may send them."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.responses import JSONResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vidrestore.web.dropped_files import MAX_FILE_BYTES

MAX_BODY_BYTES = 512 * 1024
PIECE_SECONDS = 20.0
"""Limit for each piece of a body."""
_LARGE_BODIES = {("PUT", "/api/dropped"): MAX_FILE_BYTES}
"""Methods and paths of requests that may be larger."""
COOKIE = "vidrestore_token"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class AccessControl:
    """Refuses requests that do not come from the user's own browser or program."""

    def __init__(self, app: ASGIApp, *, token: str, hosts: Sequence[str]) -> None:
        """Wraps an application.

        Args:
            app: The application.
            token: The secret that requests must have.
            hosts: Accepted values of the Host header, with the port.
        """
        self._app, self._token, self._hosts = app, token, frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, send)
        elif "token" in QueryParams(scope["query_string"]) and scope["path"] == "/":
            response = RedirectResponse("/", status_code=303)
            response.set_cookie(COOKIE, self._token, httponly=True, samesite="strict", path="/")
            await response(scope, receive, _with_headers(send))
        else:
            await self._app(scope, _limited(receive, _limit(scope)), _with_headers(send))

    def _refusal(self, scope: Scope, headers: Headers) -> JSONResponse | None:
        if headers.get("host", "") not in self._hosts:
            return _error(403, "this host name is not accepted")
        if not self._is_own_page(headers.get("origin")):
            return _error(403, "only the page itself may send requests")
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return _error(403, "only the page itself may send requests")
        if not self._has_token(scope, headers):
            return _error(401, "open the address that vidrestore web printed: it contains the token")
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()) or int(length) > _limit(scope):
            return _error(413, "the request is too large")
        return None

    def _is_own_page(self, origin: str | None) -> bool:
        """Whether the Origin header is that of the page, or there is none."""
        if origin is None:
            return True
        try:
            address = urlsplit(origin)
        except ValueError:  # such as "http://[", which is no address
            return False
        return address.scheme == "http" and address.netloc in self._hosts

    def _has_token(self, scope: Scope, headers: Headers) -> bool:
        given = [headers.get("authorization", "").removeprefix("Bearer ")]
        for part in headers.get("cookie", "").split(";"):
            name, _, value = part.strip().partition("=")
            given += [value] if name == COOKIE else []
        if scope["path"] == "/":
            given.append(QueryParams(scope["query_string"]).get("token", ""))
        return any(hmac.compare_digest(each.encode(), self._token.encode()) for each in given)


def _error(code: int, sentence: str) -> JSONResponse:
    return JSONResponse({"error": sentence}, status_code=code)


def _limit(scope: Scope) -> int:
    """The largest body of this request [bytes]."""
    return _LARGE_BODIES.get((scope["method"], scope["path"]), MAX_BODY_BYTES)


def _limited(receive: Receive, limit: int) -> Receive:
    """Ends a body that is larger than the limit, whatever its headers state, or that stops coming."""
    size, is_complete = 0, False

    async def limited() -> Message:
        nonlocal size, is_complete
        try:
            message = await asyncio.wait_for(receive(), None if is_complete else PIECE_SECONDS)
        except TimeoutError:
            return {"type": "http.disconnect"}
        size += len(message.get("body", b""))
        is_complete = not message.get("more_body", False)
        return {"type": "http.disconnect"} if size > limit else message

    return limited


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["content-security-policy"] = _POLICY
            headers["x-content-type-options"] = "nosniff"
            headers["referrer-policy"] = "no-referrer"
            headers["cross-origin-resource-policy"] = "same-origin"
            headers.setdefault("cache-control", "no-store")
        await send(message)

    return send_with_headers
