"""The values that the stages of the pipeline exchange. They need numpy only.

Boxes are x0 y0 x1 y1, half-open, in frame pixels. Landmarks are left eye, right eye, nose, left and right
mouth corner *as seen in the picture*, (5, 2) x y in frame pixels. Pixel coordinates refer to pixel centres:
the centre of the top-left pixel is (0, 0). Time is an integer pts and a Fraction time base.
"""

from vidrestore.types.faces import (
    LEAST_SIDE,
    AlignedFace,
    Detection,
    FrameFaces,
    RestoredFace,
    TrackedFace,
)
from vidrestore.types.run import DrawnShare, Progress, ProgressCallback, Report, Stage
from vidrestore.types.video import (
    UPRIGHT,
    ColourTags,
    FieldOrder,
    FloatArray,
    Frame,
    Orientation,
    PixelFormat,
    Plane,
    VideoInfo,
)

__all__ = [
    "LEAST_SIDE",
    "UPRIGHT",
    "AlignedFace",
    "ColourTags",
    "Detection",
    "DrawnShare",
    "FieldOrder",
    "FloatArray",
    "Frame",
    "FrameFaces",
    "Orientation",
    "PixelFormat",
    "Plane",
    "Progress",
    "ProgressCallback",
    "Report",
    "RestoredFace",
    "Stage",
    "TrackedFace",
    "VideoInfo",
]
