"""Operations on jobs: submit, list, watch, cancel, retry, move, remove."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse

from vidrestore.errors import UsageError
from vidrestore.web.answers import JOB, JOBS
from vidrestore.web.event_stream import job_events
from vidrestore.web.file_roots import FileRoots
from vidrestore.web.job_process import frame_path
from vidrestore.web.job_runner import JobRunner
from vidrestore.web.operations import WHOLE, Operation, Parameter, body_of
from vidrestore.web.request_bodies import EmptyRequest, JobRequest, MoveRequest
from vidrestore.web.request_settings import checked_settings

_ONE = "/api/jobs/{number:int}"
_CHANGED = Parameter(
    name="changed", about="As the event `frame` says; the answer is the newest in any case.", schema=WHOLE,
    is_required=False,
)  # fmt: skip


class JobOperations:
    """The operations on jobs."""

    def __init__(self, roots: FileRoots, runner: JobRunner) -> None:
        self._roots, self._runner = roots, runner

    def operations(self) -> Sequence[Operation]:
        """All operations on jobs."""
        return (
            Operation(method="GET", path="/api/jobs", endpoint=self.jobs, answer=JOBS,
                      summary="All jobs in the order of the queue, without results"),
            Operation(method="POST", path="/api/jobs", endpoint=self.submit, body=JobRequest, status=201,
                      answer=JOB, summary="A new job at the end of the queue"),
            Operation(method="GET", path=_ONE, endpoint=self.job, answer=JOB,
                      summary="One job, with its report once it is done"),
            Operation(method="GET", path=f"{_ONE}/events", endpoint=self.events,
                      answers="text/event-stream",
                      summary="Lines of --progress json, states and new frames, as server-sent events"),
            Operation(method="GET", path=f"{_ONE}/frame", endpoint=self.newest_frame, parameters=[_CHANGED],
                      answers="image/jpeg", summary="The newest restored frame"),
            Operation(method="POST", path=f"{_ONE}/cancel", endpoint=self.cancel, body=EmptyRequest,
                      summary="Ends a job; finished segments are kept"),
            Operation(method="POST", path=f"{_ONE}/retry", endpoint=self.retry, body=EmptyRequest,
                      summary="Queues a failed or cancelled job again; finished segments are used"),
            Operation(method="POST", path=f"{_ONE}/move", endpoint=self.move, body=MoveRequest,
                      summary="Moves a job before another one, or to the end"),
            Operation(method="POST", path=f"{_ONE}/remove", endpoint=self.remove, body=EmptyRequest,
                      summary="Deletes a job that is not running; its output is kept"),
        )  # fmt: skip

    async def jobs(self, _: Request) -> Response:
        jobs = await run_in_threadpool(self._runner.store.all)
        return JSONResponse({"jobs": [job.to_dict() for job in jobs]})

    async def submit(self, request: Request) -> Response:
        body = await body_of(request, JobRequest)
        source = self._roots.check_file(body.input)
        settings = checked_settings(body.settings, source, self._roots)
        target = self._target(body.output) if body.kind == "restore" else None
        job = await run_in_threadpool(self._runner.store.add, body.kind, source, target, settings)
        return JSONResponse(job.to_dict(), status_code=201)

    async def job(self, request: Request) -> Response:
        job = await run_in_threadpool(self._runner.store.get, _number(request))
        return JSONResponse(job.to_dict())

    async def events(self, request: Request) -> Response:
        number = _number(request)
        await run_in_threadpool(self._runner.store.get, number)
        return StreamingResponse(job_events(request, self._runner, number), media_type="text/event-stream")

    async def newest_frame(self, request: Request) -> Response:
        job = await run_in_threadpool(self._runner.store.get, _number(request))
        path = frame_path(self._runner.folder, job.id)
        if not path.is_file():
            raise UsageError(f"job {job.id} has restored no frame yet")
        return FileResponse(path, media_type="image/jpeg")

    async def cancel(self, request: Request) -> Response:
        return await self._act(request, self._runner.cancel)

    async def retry(self, request: Request) -> Response:
        return await self._act(request, self._runner.retry)

    async def remove(self, request: Request) -> Response:
        return await self._act(request, self._runner.remove)

    async def move(self, request: Request) -> Response:
        body = await body_of(request, MoveRequest)
        await run_in_threadpool(self._runner.store.move, _number(request), body.before)
        return JSONResponse({})

    async def _act(self, request: Request, action: Callable[[int], None]) -> Response:
        await body_of(request, EmptyRequest)
        await run_in_threadpool(action, _number(request))
        return JSONResponse({})

    def _target(self, text: str | None) -> Path:
        if text is None:
            raise UsageError("a restoration must have an output")
        target = self._roots.check_target(text)
        if target.exists():
            raise UsageError(f"{target} exists already; choose another name")
        return target


def _number(request: Request) -> int:
    return int(request.path_params["number"])
