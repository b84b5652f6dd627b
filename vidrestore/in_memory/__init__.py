"""Restores pictures in memory: single ones, streams, or aligned faces.

with vidrestore.Restorer(device="cpu") as restorer:
    result = restorer.image(picture)          # (H, W, 3) RGB
    for restored in restorer.frames(pictures, frame_rate=25):
        ...
"""

from vidrestore.in_memory.restorer import Restorer
from vidrestore.in_memory.result import Restored, RestoredFaceInfo

__all__ = ["Restored", "RestoredFaceInfo", "Restorer"]
