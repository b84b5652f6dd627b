"""Operations on files: folders, videos, previews, sidecars, and files that are dropped into the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from vidrestore.errors import UsageError
from vidrestore.jobs.sidecar_check import check_sidecar, new_sidecar
from vidrestore.settings import LONGEST_SECONDS, make_settings
from vidrestore.settings.sidecar import parse_sidecar
from vidrestore.web.answers import (
    DROPPED,
    FOLDER,
    PEOPLE,
    PREVIEW,
    SIDECAR,
    VIDEO,
)
from vidrestore.web.dropped_files import DroppedFiles
from vidrestore.web.file_answer import file_answer
from vidrestore.web.file_roots import FileRoots
from vidrestore.web.inspections import Inspections
from vidrestore.web.media import MediaWorker
from vidrestore.web.operations import NUMBER, TEXT, WHOLE, Operation, Parameter, body_of, text_of
from vidrestore.web.request_bodies import PreviewRequest, SidecarRequest
from vidrestore.web.request_settings import checked_settings
from vidrestore.web.sidecar_file import (
    SidecarFile,
    check_named_video,
    read_sidecar,
    sidecar_path,
    write_sidecar,
)

MIN_SIDE, MAX_SIDE = 32, 4096
_PATH = Parameter(name="path", about="A file in one of the chosen folders, in full.", schema=TEXT)


class FileOperations:
    """The operations on files."""

    def __init__(
        self, roots: FileRoots, media: MediaWorker, inspections: Inspections, dropped: DroppedFiles
    ) -> None:
        self._roots, self._media = roots, media
        self._inspections, self._dropped = inspections, dropped

    def operations(self) -> Sequence[Operation]:
        """All operations on files."""
        folder = Parameter(name="path", about="A folder; without it: the chosen ones.", schema=TEXT,
                           is_required=False)  # fmt: skip
        at = Parameter(name="at", about="Seconds from the beginning.", schema=NUMBER)
        side = Parameter(name="side", about=f"Longest side, {MIN_SIDE} to {MAX_SIDE} pixels; else 200.",
                         schema=WHOLE, is_required=False)  # fmt: skip
        near = Parameter(name="near", about="1: the key frame before that time, which is quicker.",
                         schema=WHOLE, is_required=False)  # fmt: skip
        exact = Parameter(name="exact", about="1: waits until a broadcast was read to its end.",
                          schema=WHOLE, is_required=False)  # fmt: skip
        name = Parameter(name="name", about="What the file is called.", schema=TEXT)
        return (
            Operation(method="GET", path="/api/folders", endpoint=self.folders, parameters=[folder],
                      summary="The chosen folders, or what is in one", answer=FOLDER),
            Operation(method="GET", path="/api/video", endpoint=self.video, parameters=[_PATH, exact],
                      summary="What a container says of its video", answer=VIDEO),
            Operation(method="GET", path="/api/frame", endpoint=self.frame,
                      parameters=[_PATH, at, side, near], summary="The frame at a time",
                      answers="image/jpeg"),
            Operation(method="GET", path="/api/people", endpoint=self.people, parameters=[_PATH],
                      summary="What the last inspection found, if the video is still the same",
                      answer=PEOPLE),
            Operation(method="POST", path="/api/preview", endpoint=self.preview, body=PreviewRequest,
                      summary="A frame before and after a restoration", answer=PREVIEW),
            Operation(method="GET", path="/api/sidecar", endpoint=self.sidecar, parameters=[_PATH],
                      summary="The sidecar beside a video", answer=SIDECAR),
            Operation(method="PUT", path="/api/sidecar", endpoint=self.put_sidecar, body=SidecarRequest,
                      summary="Writes the sidecar beside a video", answer=SIDECAR),
            Operation(method="GET", path="/api/media", endpoint=self.media, parameters=[_PATH],
                      summary="A file, or the range that is asked for",
                      answers="application/octet-stream"),
            Operation(method="PUT", path="/api/dropped", endpoint=self.drop, parameters=[name],
                      summary="Keeps a small file in the service's own folder", status=201,
                      sends="application/octet-stream", answer=DROPPED),
            Operation(method="DELETE", path="/api/dropped", endpoint=self.remove_dropped,
                      parameters=[name], summary="Removes a file that was dropped in"),
        )  # fmt: skip

    async def folders(self, request: Request) -> Response:
        path = request.query_params.get("path")
        if path is None:
            dropped = str(self._dropped.folder)
            roots = [str(folder) for folder in self._roots.folders if str(folder) != dropped]
            return JSONResponse({"roots": roots, "dropped": dropped})
        entries = await run_in_threadpool(self._roots.entries, path)
        return JSONResponse(
            {"entries": [{"name": e.name, "folder": e.is_folder, "bytes": e.bytes} for e in entries]}
        )

    async def video(self, request: Request) -> Response:
        path = self._roots.check_file(text_of(request, "path"))
        is_exact = _number(request, "exact", 0, 1, 0) == 1
        return JSONResponse(await run_in_threadpool(partial(self._media.facts, path, is_exact=is_exact)))

    async def frame(self, request: Request) -> Response:
        path = self._roots.check_file(text_of(request, "path"))
        at, side = (
            _number(request, "at", 0, LONGEST_SECONDS),
            _number(request, "side", MIN_SIDE, MAX_SIDE, 200),
        )
        is_near = _number(request, "near", 0, 1, 0) == 1
        picture = await run_in_threadpool(partial(self._media.frame, path, at, int(side), is_near=is_near))
        return Response(picture, media_type="image/jpeg", headers={"cache-control": "private, max-age=600"})

    async def people(self, request: Request) -> Response:
        path = self._roots.check_file(text_of(request, "path"))
        return JSONResponse({"inspection": await run_in_threadpool(self._inspections.result, path)})

    async def preview(self, request: Request) -> Response:
        body = await body_of(request, PreviewRequest)
        path = self._roots.check_file(body.path)
        settings = checked_settings(body.settings, path, self._roots)
        analysis = await run_in_threadpool(self._inspections.analysis, path)
        return JSONResponse(await run_in_threadpool(self._media.preview, path, body.at, settings, analysis))

    async def sidecar(self, request: Request) -> Response:
        path = self._roots.check_file(text_of(request, "path"))
        found = await run_in_threadpool(read_sidecar, self._roots, sidecar_path(path))
        if found.sidecar is not None:
            check_sidecar(path, make_settings(sidecar=found.sidecar))
        return JSONResponse(_sidecar_values(found, None))

    async def put_sidecar(self, request: Request) -> Response:
        body = await body_of(request, SidecarRequest)
        path = self._roots.check_file(body.path)
        check_named_video(path)
        empty = new_sidecar(path, body.frames, make_settings())
        values = {**empty.model_dump(), "people": body.people, "scenes": body.scenes}
        sidecar = parse_sidecar(values, "the sidecar")
        found, copy = await run_in_threadpool(
            write_sidecar, self._roots, sidecar_path(path), sidecar, digest=body.digest
        )
        return JSONResponse(_sidecar_values(found, copy))

    async def media(self, request: Request) -> Response:
        path = text_of(request, "path")
        return file_answer(request, await run_in_threadpool(self._roots.open_file, path), path)

    async def drop(self, request: Request) -> Response:
        file = await self._dropped.take(text_of(request, "name"), request.stream())
        try:
            await run_in_threadpool(self._media.facts, file)
        except Exception:
            await run_in_threadpool(self._dropped.remove, file.name)
            raise
        return JSONResponse({"path": str(file)}, status_code=201)

    async def remove_dropped(self, request: Request) -> Response:
        await run_in_threadpool(self._dropped.remove, text_of(request, "name"))
        return JSONResponse({})


def _sidecar_values(file: SidecarFile, copy: Path | None) -> dict[str, Any]:
    sidecar = None if file.sidecar is None else file.sidecar.model_dump(mode="json", exclude_none=True)
    values = {**asdict(file), "path": str(file.path), "sidecar": sidecar}
    return {**values, "copy": None if copy is None else str(copy)}


def _number(request: Request, name: str, least: float, most: float, usual: float | None = None) -> float:
    text = request.query_params.get(name)
    if text is None and usual is not None:
        return usual
    try:
        value = float(text or "")
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise UsageError(f"{name} is a number from {least:g} to {most:g}")
    return value
