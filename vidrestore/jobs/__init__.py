"""Long films, whole folders, many machines: the pipeline's work cut up, written down and shared out.

A film is looked through once, in order and without pause for the network (`first_pass`): what the tracker
says of a frame depends on all frames before it, so this cannot be cut, but it is cheap and its results are
small. They are kept in a journal beside the output. From them each segment is restored on its own, wherever
and whenever, and what is seen in it is what would have been seen in one go.
"""

from vidrestore.jobs.restore import restore_file, resume_file

__all__ = ["restore_file", "resume_file"]
