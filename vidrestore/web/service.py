"""The HTTP interface for the page and for other programs; docs/web.md lists the requests."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import wraps
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from vidrestore.errors import InputError, UsageError, VidrestoreError
from vidrestore.settings import Settings, make_settings
from vidrestore.web.file_roots import FileRoots, OutsideError
from vidrestore.web.job_runner import JobRunner
from vidrestore.web.media import MediaWorker

PAGE = Path(__file__).parent / "page"
EVENT_SECONDS = 0.5
_PIECE = 1 << 18
_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{0,18})")
_REFUSED = {"model", "detector", "overwrite", "restart", "engine", "workers", "strict", "mask"}
"""Settings that are refused over HTTP: they name files or machines, or replace files."""
Endpoint = Callable[[Request], Awaitable[Response]]


class Service:
    """The endpoints of the interface."""

    def __init__(self, roots: FileRoots, runner: JobRunner, media: MediaWorker) -> None:
        self._roots, self._runner, self._media = roots, runner, media

    def app(self) -> Starlette:
        """The application, without access control."""
        return Starlette(
            routes=[
                Route("/", self._page),
                Route("/api/folders", _safe(self.folders)),
                Route("/api/video", _safe(self.video)),
                Route("/api/thumbnail", _safe(self.thumbnail)),
                Route("/api/preview", _safe(self.preview), methods=["POST"]),
                Route("/api/jobs", _safe(self.jobs)),
                Route("/api/jobs", _safe(self.submit), methods=["POST"]),
                Route("/api/jobs/{number:int}", _safe(self.job)),
                Route("/api/jobs/{number:int}/{action:str}", _safe(self.act), methods=["POST"]),
                Route("/api/jobs/{number:int}/events", _safe(self.events)),
                Route("/api/media", _safe(self.media)),
                Mount("/page", StaticFiles(directory=PAGE)),
            ]
        )

    async def _page(self, _: Request) -> Response:
        return FileResponse(PAGE / "index.html")

    async def folders(self, request: Request) -> Response:
        """The chosen folders, or the entries of one folder."""
        path = request.query_params.get("path")
        if path is None:
            return JSONResponse({"roots": [str(folder) for folder in self._roots.folders]})
        entries = await run_in_threadpool(self._roots.entries, path)
        return JSONResponse(
            {"entries": [{"name": e.name, "folder": e.is_folder, "bytes": e.bytes} for e in entries]}
        )

    async def video(self, request: Request) -> Response:
        """The properties of a video, from its container."""
        path = self._roots.check_file(_query(request, "path"))
        return JSONResponse(await run_in_threadpool(self._media.facts, path))

    async def thumbnail(self, request: Request) -> Response:
        """A thumbnail of the frame at a time."""
        path = self._roots.check_file(_query(request, "path"))
        picture = await run_in_threadpool(self._media.thumbnail, path, _seconds(_query(request, "at")))
        return Response(picture, media_type="image/jpeg", headers={"cache-control": "private, max-age=600"})

    async def preview(self, request: Request) -> Response:
        """A frame before and after."""
        body = await _body(request, {"path", "at", "settings"})
        path, settings = self._roots.check_file(body["path"]), self._settings(body.get("settings", {}))
        at = _seconds(body.get("at"))
        return JSONResponse(await run_in_threadpool(self._media.preview, path, at, settings))

    async def jobs(self, _: Request) -> Response:
        """All jobs, in the order of the queue."""
        jobs = await run_in_threadpool(self._runner.store.all)
        return JSONResponse({"jobs": [{**job.to_dict(), "result": None} for job in jobs]})

    async def submit(self, request: Request) -> Response:
        """A new job."""
        body = await _body(request, {"kind", "input", "output", "settings"})
        kind = body.get("kind", "restore")
        if kind not in ("restore", "inspect"):
            raise UsageError("a job's kind is restore or inspect")
        source = self._roots.check_file(body["input"])
        settings = self._settings(body.get("settings", {}))
        target = None
        if kind == "restore":
            target = self._roots.check_target(_text(body.get("output")))
            if target.exists():
                raise UsageError(f"{target} exists already; choose another name")
        job = await run_in_threadpool(self._runner.store.add, kind, source, target, settings)
        return JSONResponse(job.to_dict(), status_code=201)

    async def job(self, request: Request) -> Response:
        """One job with its result."""
        job = await run_in_threadpool(self._runner.store.get, request.path_params["number"])
        return JSONResponse(job.to_dict())

    async def act(self, request: Request) -> Response:
        """Cancel, retry, remove, or move a job before another one."""
        number, action = request.path_params["number"], request.path_params["action"]
        body = await _body(request, {"before"})
        self._runner.store.get(number)
        if action == "move":
            before = body.get("before")
            if before is not None and not isinstance(before, int):
                raise UsageError("before is the number of a job")
            await run_in_threadpool(self._runner.store.move, number, before)
        elif action in ("cancel", "retry"):
            await run_in_threadpool(getattr(self._runner, action), number)
        elif action == "remove":
            await run_in_threadpool(self._runner.store.remove, number)
        else:
            raise UsageError("a job can be cancelled, retried, moved or removed")
        return JSONResponse({})

    async def events(self, request: Request) -> Response:
        """The lines of a job as server-sent events, until it ends."""
        number = request.path_params["number"]
        self._runner.store.get(number)
        return StreamingResponse(self._events(request, number), media_type="text/event-stream")

    async def _events(self, request: Request, number: int) -> AsyncIterator[str]:
        position, state = 0, ""
        while not await request.is_disconnected():
            job = await run_in_threadpool(self._runner.store.get, number)
            lines, position = await run_in_threadpool(self._runner.lines, number, position)
            for line in lines:
                if line.startswith('{"frames"'):
                    yield f"event: progress\ndata: {line}\n\n"
            if job.state != state:
                state = job.state
                yield f"event: state\ndata: {json.dumps({'state': state, 'message': job.message})}\n\n"
            if state in ("done", "failed", "cancelled"):
                return
            await asyncio.sleep(EVENT_SECONDS)

    async def media(self, request: Request) -> Response:
        """A file in the folders, or a range of it, so that a browser can play long videos."""
        descriptor = await run_in_threadpool(self._roots.open_file, _query(request, "path"))
        size = os.fstat(descriptor).st_size
        found = _RANGE.fullmatch(request.headers.get("range", ""))
        first = int(found[1]) if found else 0
        last = min(int(found[2]), size - 1) if found and found[2] else size - 1
        if first > last:
            os.close(descriptor)
            return Response(status_code=416, headers={"content-range": f"bytes */{size}"})
        headers = {"accept-ranges": "bytes", "content-length": str(last - first + 1)}
        if found:
            headers["content-range"] = f"bytes {first}-{last}/{size}"
        return StreamingResponse(
            _pieces(descriptor, first, last),
            status_code=206 if found else 200,
            headers=headers,
            media_type=_media_type(_query(request, "path")),
        )

    def _settings(self, values: Any) -> dict[str, Any]:
        """The checked settings; those that name other files are refused."""
        if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
            raise UsageError("settings must be names and values")
        for name in values:
            if name in _REFUSED or name not in Settings.model_fields:
                raise UsageError(f"the setting {name[:40]!r} is not available here")
        given = dict(values)
        faces = given.get("faces")
        if isinstance(faces, str) and faces.startswith("like:"):
            self._roots.check_file(faces.removeprefix("like:"))
        if isinstance(sidecar := given.get("sidecar"), str):
            given["sidecar"] = str(self._roots.check_file(sidecar))
        make_settings(**given)
        return given


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


def _media_type(path: str) -> str:
    kinds = {".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/mp4", ".webm": "video/webm"}
    return kinds.get(Path(path).suffix.lower(), "application/octet-stream")


def _safe(endpoint: Endpoint) -> Endpoint:
    """Turns errors that a user can cause into an answer with one sentence."""

    @wraps(endpoint)
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except OutsideError as error:
            return JSONResponse({"error": str(error)}, status_code=403)
        except (UsageError, InputError) as error:
            return JSONResponse({"error": str(error)}, status_code=422)
        except VidrestoreError as error:
            return JSONResponse({"error": str(error)}, status_code=500)

    return answer


async def _body(request: Request, known: set[str]) -> dict[str, Any]:
    try:
        raw = await request.body()
        value = json.loads(raw) if raw else {}
    except ClientDisconnect as error:
        raise UsageError("the request is too large, or ended early") from error
    except (ValueError, RecursionError) as error:
        raise UsageError("the request is not JSON") from error
    if not isinstance(value, dict) or not value.keys() <= known:
        raise UsageError(f"the request must have only these values: {', '.join(sorted(known))}")
    for name in ("path", "input"):
        if name in known:
            value[name] = _text(value.get(name))
    return value


def _query(request: Request, name: str) -> str:
    return _text(request.query_params.get(name))


def _text(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 4096:
        raise UsageError("a path is missing")
    return value


def _seconds(value: Any) -> float:
    try:
        return make_settings(start=float(value)).start or 0.0
    except (TypeError, ValueError) as error:
        raise UsageError("a time must be a number of seconds") from error
