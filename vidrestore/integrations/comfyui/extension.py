"""The list of nodes that ComfyUI asks for."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import ComfyExtension

from .face_node import FindFaces
from .image_node import RestoreImages
from .video_node import RestoreVideo


class VidrestoreExtension(ComfyExtension):  # type: ignore[misc] # of ComfyUI, which has no types here
    """All nodes of vidrestore."""

    async def get_node_list(self) -> list[Any]:
        return [RestoreVideo, RestoreImages, FindFaces]


async def comfy_entrypoint() -> VidrestoreExtension:
    """The extension. ComfyUI calls this once."""
    return VidrestoreExtension()
