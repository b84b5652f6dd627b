"""Long videos, folders and clusters: the pipeline's work in segments, recorded in a journal.

The first pass (`first_pass`) analyses a video once, in order: what the tracker reports for a frame depends on
all frames before it. It is cheap, and its results are small. The journal beside the output stores them. From
them each segment is restored independently, on any machine at any time, with the same result as in one go.
"""

from vidrestore.jobs.restore import restore_file, resume_file

__all__ = ["restore_file", "resume_file"]
