"""Faces in a frame: boxes, alignment, grain and compositing."""
