"""Containers, pixel formats, image sequences and filters."""
