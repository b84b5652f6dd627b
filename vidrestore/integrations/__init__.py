"""Interfaces to other programs: edits, and the hosts that people work in."""
