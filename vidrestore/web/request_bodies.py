"""The JSON bodies of requests, which are also in the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from vidrestore.settings import LONGEST_SECONDS
from vidrestore.web.operations import MAX_PATH, Body

FilePath = Annotated[str, Field(min_length=1, max_length=MAX_PATH)]
Seconds = Annotated[float, Field(ge=0, le=LONGEST_SECONDS)]
SettingValues = Annotated[
    dict[str, Any],
    Field(
        description="Settings of the command line, without those that name files or machines; `sidecar` is a "
        "path, or what such a file holds."
    ),
]


class PreviewRequest(Body):
    """Asks for a preview of a frame."""

    path: FilePath
    at: Seconds
    settings: SettingValues = Field(default_factory=dict)


class JobRequest(Body):
    """A new job."""

    kind: Literal["restore", "inspect"] = "restore"
    input: FilePath
    output: FilePath | None = None
    """The path of the output, for a restoration."""
    settings: SettingValues = Field(default_factory=dict)


class MoveRequest(Body):
    """The new place of a queued job."""

    before: int | None = None
    """The number of another job; null: at the end."""


class EmptyRequest(Body):
    """An empty object, or no body."""


class SidecarRequest(Body):
    """A sidecar to write beside a video."""

    path: FilePath
    """The path of the video."""
    digest: str | None = None
    """The digest of the sidecar to replace, as it was read; null: there is no sidecar yet."""
    frames: Annotated[int, Field(ge=0)]
    """The number of frames of the video."""
    people: Annotated[dict[str, Any], Field(description="As in a sidecar file.")]
    scenes: Annotated[dict[str, Any], Field(description="As in a sidecar file; names are numbers.")]
