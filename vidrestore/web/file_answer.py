"""Answers with a file or a range of it, so that a browser can play long videos."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

_PIECE = 1 << 18
_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{0,18})")
_KINDS = {".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/mp4", ".webm": "video/webm"}
"""Media types that browsers can play; other files are downloaded."""


def file_answer(request: Request, descriptor: int, name: str) -> Response:
    """The answer with the file, or with the requested range. The descriptor is closed afterwards.

    Args:
        request: The request.
        descriptor: The open file.
        name: The name of the file.
    """
    size = os.fstat(descriptor).st_size
    found = _RANGE.fullmatch(request.headers.get("range", ""))
    first = int(found[1]) if found else 0
    last = min(int(found[2]), size - 1) if found and found[2] else size - 1
    if found and first > last:
        os.close(descriptor)
        return Response(status_code=416, headers={"content-range": f"bytes */{size}"})
    headers = {"accept-ranges": "bytes", "content-length": str(last - first + 1)}
    if found:
        headers["content-range"] = f"bytes {first}-{last}/{size}"
    return StreamingResponse(
        _pieces(descriptor, first, last),
        status_code=206 if found else 200,
        headers=headers,
        media_type=_KINDS.get(Path(name).suffix.lower(), "application/octet-stream"),
    )


async def _pieces(descriptor: int, first: int, last: int) -> AsyncIterator[bytes]:
    try:
        while first <= last:
            data = await run_in_threadpool(os.pread, descriptor, min(_PIECE, last - first + 1), first)
            if not data:
                return
            first += len(data)
            yield data
    finally:
        os.close(descriptor)
