"""Restored faces of people held out, beside plain filters: `python -m benchmarks.face_validation`."""
