"""Makes the OpenAPI document of the HTTP interface from its operations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from vidrestore import __version__
from vidrestore.web.access import COOKIE
from vidrestore.web.operations import Operation, Schema

_NUMBER = re.compile(r"\{(\w+):int\}")
_FAILURES = {
    "401": "The token is missing or wrong",
    "403": "A foreign host, origin or path",
    "409": "A file has changed since it was read",
    "413": "The request is too large",
    "422": "The request cannot be fulfilled",
    "500": "The work failed",
}
_ERROR: Schema = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}


def openapi_document(operations: Sequence[Operation]) -> dict[str, Any]:
    """The document, in OpenAPI 3.1."""
    paths: dict[str, dict[str, Any]] = {}
    schemas: dict[str, Schema] = {"Error": _ERROR}
    for operation in operations:
        at = paths.setdefault(_NUMBER.sub(r"{\1}", operation.path), {})
        at[operation.method.lower()] = _described(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "vidrestore web",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "Restores faces in videos on this machine. Files are named by their paths.",
        },
        "servers": [{"url": "http://127.0.0.1:8765"}],
        "security": [{"token": []}, {"cookie": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {
                f"Failure{code}": {
                    "description": text,
                    "content": _json(_reference("Error")),
                }
                for code, text in _FAILURES.items()
            },
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            },
        },
    }


def _described(operation: Operation, schemas: dict[str, Schema]) -> dict[str, Any]:
    described: dict[str, Any] = {"operationId": operation.name, "summary": operation.summary}
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "integer"}}
        for name in _NUMBER.findall(operation.path)
    ]
    in_query = [
        {
            "name": each.name,
            "in": "query",
            "required": each.is_required,
            "description": each.about,
            "schema": each.schema,
        }
        for each in operation.parameters
    ]
    if in_path or in_query:
        described["parameters"] = [*in_path, *in_query]
    if operation.body is not None:
        name = operation.body.__name__
        schemas[name] = operation.body.model_json_schema()
        described["requestBody"] = {"content": _json(_reference(name))}
    elif operation.sends != "application/json":
        described["requestBody"] = {"required": True, "content": {operation.sends: {}}}
    content: dict[str, Any] = {operation.answers: {}}
    if operation.answers == "application/json":
        content = _json(operation.answer or {"type": "object"})
    failures = {code: {"$ref": f"#/components/responses/Failure{code}"} for code in _FAILURES}
    described["responses"] = {str(operation.status): {"description": "Done", "content": content}, **failures}
    return described


def _reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(schema: Schema) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
