"""Schemas of the answers, for the OpenAPI document."""

from __future__ import annotations

from vidrestore.web.operations import NUMBER, TEXT, WHOLE, Schema

_FLAG: Schema = {"type": "boolean"}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties}


def _list(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


_ANY_OBJECT: Schema = {"type": "object"}
FOLDER = _object(
    roots=_list(TEXT), dropped=TEXT, entries=_list(_object(name=TEXT, folder=_FLAG, bytes=WHOLE))
)
VIDEO = _object(
    width=WHOLE, height=WHOLE, frame_rate=NUMBER, frames=_or_null(WHOLE), duration=_or_null(NUMBER),
    codec=TEXT, streams=_list(TEXT), exact=_FLAG,
)  # fmt: skip
PEOPLE = _object(inspection=_or_null(_ANY_OBJECT))
PREVIEW = _object(
    at=NUMBER, index=WHOLE, before=TEXT, after=TEXT, drawn=NUMBER,
    seconds=_object(analysing=NUMBER, restoring=NUMBER, coding=NUMBER, total=NUMBER, processor=NUMBER),
    faces=_list(_object(track=WHOLE, box=_list(NUMBER))),
)  # fmt: skip
SIDECAR = _object(path=TEXT, sidecar=_or_null(_ANY_OBJECT), digest=_or_null(TEXT), copy=_or_null(TEXT))
DROPPED = _object(path=TEXT)
JOB = _object(
    id=WHOLE, kind={"enum": ["restore", "inspect", "folder"]},
    state={"enum": ["queued", "running", "done", "failed", "cancelled"]}, position=NUMBER, input=TEXT,
    output=TEXT, settings=_ANY_OBJECT, message=TEXT, created=NUMBER, result=_or_null(_ANY_OBJECT),
)  # fmt: skip
JOBS = _object(jobs=_list(JOB))
