"""Operations of the HTTP interface: path, parameters, body and answer of each.

The routes and the OpenAPI document are both made from them, so they always agree.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vidrestore.errors import InputError, UsageError, VidrestoreError, shown
from vidrestore.web.file_roots import OutsideError

Endpoint = Callable[[Request], Awaitable[Response]]
Schema = dict[str, Any]
MAX_PATH = 4096
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
WHOLE: Schema = {"type": "integer"}


class ChangedError(UsageError):
    """The file has changed since it was read."""


class Body(BaseModel):
    """The JSON of a request; other names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A value in the query part of an address."""

    name: str
    about: str
    schema: Schema
    is_required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A request that the service answers."""

    method: str
    path: str
    endpoint: Endpoint
    summary: str
    parameters: Sequence[Parameter] = ()
    body: type[Body] | None = None
    sends: str = "application/json"
    """Media type of the request."""
    status: int = 200
    answer: Schema | None = None
    """Schema of the JSON answer; None: an empty object."""
    answers: str = "application/json"
    """Media type of the answer."""

    @property
    def name(self) -> str:
        """The operation's unique name."""
        return str(self.endpoint.__name__)

    def route(self) -> Route:
        """The route for Starlette."""
        return Route(self.path, _safe(self.endpoint), methods=[self.method])


BodyType = TypeVar("BodyType", bound=Body)


async def body_of(request: Request, kind: type[BodyType]) -> BodyType:
    """The checked JSON of a request. Raises UsageError."""
    try:
        raw = await request.body()
        value = json.loads(raw) if raw else {}
    except ClientDisconnect as error:
        raise UsageError("the request is too large, or ended early") from error
    except (ValueError, RecursionError) as error:
        raise UsageError("the request is not JSON") from error
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = " / ".join(str(each)[:60] for each in first["loc"]) or "the request"
        message = first["msg"].removeprefix("Value error, ")
        raise UsageError(f"{place}: {message}, got {shown(first['input'])}") from error


def text_of(request: Request, name: str) -> str:
    """A value of the query. Raises UsageError if it is missing."""
    value = request.query_params.get(name)
    if value is None or not 0 < len(value) <= MAX_PATH:
        raise UsageError(f"the address needs {name}=…")
    return value


def _safe(endpoint: Endpoint) -> Endpoint:
    """Turns errors that a user can cause into an answer with one sentence."""

    @wraps(endpoint)
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except asyncio.CancelledError:
            return JSONResponse({"error": "vidrestore web has ended"}, status_code=503)
        except OutsideError as error:
            return _error(error, 403)
        except ChangedError as error:
            return _error(error, 409)
        except (UsageError, InputError) as error:
            return _error(error, 422)
        except VidrestoreError as error:
            return _error(error, 500)

    return answer


def _error(error: VidrestoreError, status: int) -> Response:
    return JSONResponse({"error": str(error)}, status_code=status)
