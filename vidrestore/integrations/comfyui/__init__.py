"""ComfyUI: nodes for videos (by file, beside ComfyUI), for images (in ComfyUI's own Python), and for faces.

`vidrestore integrations install` copies this folder; there it is the package `vidrestore_host.comfyui`, so
its modules import each other relatively.
"""
