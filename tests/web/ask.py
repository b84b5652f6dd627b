"""Asks the service without a network."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from vidrestore.web.access import AccessControl
from vidrestore.web.dropped_files import DroppedFiles
from vidrestore.web.file_roots import FileRoots
from vidrestore.web.job_runner import JobRunner
from vidrestore.web.media import MediaWorker
from vidrestore.web.service import Service

HOST, TOKEN = "127.0.0.1:8765", "right"


class Answer(NamedTuple):
    """What the service sent."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Asker:
    """A service for the folder `root`, whose state is in `state`."""

    def __init__(self, root: Path, state: Path) -> None:
        state.mkdir()
        self.runner, self.dropped, self.media = JobRunner(state), DroppedFiles(state), MediaWorker()
        roots = FileRoots([root, self.dropped.folder])
        self.service = Service(roots, self.runner, self.media, self.dropped)
        self._app = AccessControl(self.service.app(), token=TOKEN, hosts=[HOST])

    def __call__(
        self,
        path: str,
        *,
        query: dict[str, str] | None = None,
        method: str = "GET",
        body: Any = None,
        headers: dict[str, str] | None = None,
        raw: bytes | None = None,
        is_broken_off: bool = False,
    ) -> Answer:
        data = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        original = {"host": HOST, "authorization": f"Bearer {TOKEN}", **(headers or {})}
        scope = {
            "type": "http", "http_version": "1.1", "method": method, "path": path, "raw_path": path.encode(),
            "query_string": urlencode(query or {}).encode(), "scheme": "http", "root_path": "",
            "server": ("127.0.0.1", 8765), "client": ("127.0.0.1", 1),
            "headers": [(k.encode(), v.encode()) for k, v in original.items() if v],
        }  # fmt: skip
        sent: list[dict[str, Any]] = []
        waiting: list[dict[str, Any]] = [{"type": "http.request", "body": data, "more_body": is_broken_off}]

        async def receive() -> dict[str, Any]:
            if waiting:
                return waiting.pop()
            if not is_broken_off:
                await asyncio.Event().wait()  # the caller stays until it has its answer
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(self._app(scope, receive, send))
        answer = b"".join(message.get("body", b"") for message in sent[1:])
        found = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
        return Answer(sent[0]["status"], found, answer)
