"""The extension's first module: what Blender imports and registers."""

from .vidrestore_host.blender.panel import (  # type: ignore[import-not-found]  # exists once installed
    register,
    unregister,
)

__all__ = ["register", "unregister"]
