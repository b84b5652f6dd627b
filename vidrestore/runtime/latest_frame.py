"""The name of the environment variable for the file with the newest restored frame."""

LATEST_FRAME = "VIDRESTORE_LATEST_FRAME"
"""The environment variable that contains the path; docs/progress.md describes it."""
