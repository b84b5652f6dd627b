"""ComfyUI: nodes for videos (from file to file, in a separate process), for images (in ComfyUI's process),
and
for the choice of faces.

`vidrestore integrations install` copies this folder as the package `vidrestore_host.comfyui`, so its modules
use relative imports.
"""
