"""A node that shows which faces a video has, with their numbers, so that the user can choose some."""

from __future__ import annotations

import base64
import io as bytes_io
from typing import Any

import numpy as np
import torch
from comfy_api.latest import io, ui
from PIL import Image

from .running_command import run_command, source_of

SIDE = 128
"""Side of a face's picture [px]."""


class FindFaces(io.ComfyNode):  # type: ignore[misc] # of ComfyUI, which has no types here
    """Lists the faces of a video; its output `faces` goes into Restore Faces (Video)."""

    @classmethod
    def define_schema(cls) -> Any:
        return io.Schema(
            node_id="VidrestoreFindFaces",
            display_name="Find Faces",
            category="video/vidrestore",
            description="Shows each face of a video, in the order of the list. Then choose: 0,2 or p1.",
            inputs=[
                io.Video.Input("video"),
                io.String.Input("choose", default="all", tooltip="all, largest, 0,2 (tracks), p0 (people)."),
            ],
            outputs=[
                io.String.Output(display_name="faces"),
                io.String.Output(display_name="list"),
                io.Image.Output(display_name="pictures"),
            ],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, video: Any, choose: str) -> Any:
        source, trim = source_of(video)
        report = run_command(["inspect", str(source), *trim, "--quiet"])
        tracks = report["tracks"]
        pictures = [_picture(report["thumbnails"][str(track["id"])]) for track in tracks]
        shown = torch.from_numpy(np.stack(pictures or [np.zeros((SIDE, SIDE, 3), np.float32)]))
        lines = "\n".join(map(_line, tracks)) or "no faces found"
        preview = ui.PreviewImage(shown, cls=cls)
        return io.NodeOutput(choose.strip() or "all", lines, shown, ui=preview)


def _picture(uri: str) -> Any:
    """(SIDE, SIDE, 3) RGB in 0..1."""
    data = base64.b64decode(uri.partition(",")[2])
    with Image.open(bytes_io.BytesIO(data)) as picture:
        pixels = picture.convert("RGB").resize((SIDE, SIDE))
    return np.asarray(pixels, np.float32) / 255


def _line(track: dict[str, Any]) -> str:
    return (
        f"{track['id']}: person p{track['person']}, frames {track['first_frame']}-{track['last_frame']}, "
        f"{track['side'][1]:.0f} px"
    )
