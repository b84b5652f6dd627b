"""The module that ComfyUI imports from its folder custom_nodes."""

from .vidrestore_host.comfyui.extension import comfy_entrypoint  # type: ignore[import-not-found] # exists once installed

__all__ = ["comfy_entrypoint"]
