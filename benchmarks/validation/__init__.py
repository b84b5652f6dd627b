"""Restored faces of people held out, beside plain filters: `python -m benchmarks.validation`."""
