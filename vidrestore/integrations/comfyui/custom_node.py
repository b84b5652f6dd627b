"""ComfyUI imports this folder of custom_nodes as a package, and asks it for its nodes."""

from .vidrestore_host.comfyui.extension import comfy_entrypoint  # type: ignore[import-not-found] # beside it once installed

__all__ = ["comfy_entrypoint"]
