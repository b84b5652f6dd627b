"""Finds the scenes, faces and people of a video, as a restoration would, without writing anything."""

from vidrestore.inspection.inspect import inspect_video
from vidrestore.inspection.result import FaceTrack, Inspection, Scene, with_drawn

__all__ = ["FaceTrack", "Inspection", "Scene", "inspect_video", "with_drawn"]
