"""vidrestore restores the faces in a video and leaves everything else as it was."""

__version__ = "0.1.0"
