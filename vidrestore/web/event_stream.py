"""The events of a job: its lines of `--progress json`, its states, its newest frames."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from vidrestore.web.job_runner import JobRunner, LinePosition

EVENT_SECONDS = 0.5
MAX_LINE = 65536
"""Longest line that is sent. Longer ones are reports with pictures."""
_NAMES = ("progress", "information", "warning", "report", "error")
_ENDED = ("done", "failed", "cancelled")


async def job_events(request: Request, runner: JobRunner, number: int) -> AsyncIterator[str]:
    """The events of a job from its start, until the job ends or the client disconnects.

    If the job is killed and started again, the lines of its new run follow from the first one.
    """
    position, state, frame = LinePosition(), "", None
    while not await request.is_disconnected():
        job = await run_in_threadpool(runner.store.get, number)
        lines, position = await run_in_threadpool(runner.lines, number, position)
        for line in lines:
            if len(line) <= MAX_LINE:
                yield _event(_name(line), line)
        changed = await run_in_threadpool(runner.frame_changed, number)
        if changed != frame and changed is not None:
            frame = changed
            yield _event("frame", json.dumps({"changed": str(changed)}))
        if job.state in _ENDED and lines:
            continue  # more lines may follow; the end is sent after the last one
        if job.state != state:
            state = job.state
            yield _event("state", json.dumps({"state": state, "message": job.message}))
        if state in _ENDED:
            return
        await asyncio.sleep(EVENT_SECONDS)


def _event(name: str, data: str) -> str:
    return f"event: {name}\ndata: {data}\n\n"


def _name(line: str) -> str:
    try:
        name = json.loads(line).get("event")
    except (ValueError, AttributeError):
        return "information"
    return name if name in _NAMES else "information"
