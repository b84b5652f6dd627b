"""The HTTP interface for the page and for other programs; docs/http-api.md lists the requests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from vidrestore.web.dropped_files import DroppedFiles
from vidrestore.web.file_operations import FileOperations
from vidrestore.web.file_roots import FileRoots
from vidrestore.web.inspections import Inspections
from vidrestore.web.job_operations import JobOperations
from vidrestore.web.job_runner import JobRunner
from vidrestore.web.media import MediaWorker
from vidrestore.web.openapi import openapi_document
from vidrestore.web.operations import Operation

PAGE = Path(__file__).parent / "page"


class Service:
    """All operations of the interface."""

    def __init__(
        self, roots: FileRoots, runner: JobRunner, media: MediaWorker, dropped: DroppedFiles
    ) -> None:
        self._files = FileOperations(roots, media, Inspections(runner), dropped)
        self._jobs = JobOperations(roots, runner)

    def app(self) -> Starlette:
        """The application, without access control."""
        return Starlette(
            routes=[
                Route("/", _page),
                *(operation.route() for operation in self.operations()),
                Mount("/page", StaticFiles(directory=PAGE)),
            ],
            exception_handlers={HTTPException: _refusal},
        )

    def operations(self) -> Sequence[Operation]:
        """All operations, in the order of the document."""
        document = Operation(
            method="GET", path="/api/openapi.json", endpoint=self.openapi, summary="This document",
            answer={"type": "object"},
        )  # fmt: skip
        return (*self._files.operations(), *self._jobs.operations(), document)

    async def openapi(self, _: Request) -> Response:
        return JSONResponse(openapi_document(self.operations()))


async def _page(_: Request) -> Response:
    return FileResponse(PAGE / "index.html")


async def _refusal(request: Request, error: Exception) -> Response:
    """The answer to an address or a method that does not exist."""
    assert isinstance(error, HTTPException)
    sentence = f"{request.method} {request.url.path} is no request of vidrestore web"
    return JSONResponse({"error": sentence}, status_code=error.status_code, headers=error.headers)
