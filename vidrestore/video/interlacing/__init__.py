"""Detecting interlacing, and working on fields."""
