"""OpenEXR image sequences."""
