"""Limits of the queues between the threads of the pipeline."""

DECODED_AHEAD_BYTES = 64 * 2**20
"""Frames that wait for detection."""
ALIGNED_AHEAD_BYTES = 64 * 2**20
"""Frames and aligned faces that wait for the network."""
RESTORED_AHEAD_BYTES = 32 * 2**20
"""Frames that wait for the encoder."""
ITEMS_AHEAD = 16
"""Maximum number of frames in each queue, however small: a batch for each of four workers. They arrive faster
than a batch is computed."""
GPU_ITEMS_AHEAD = 64
"""The same for aligned faces on a GPU, whose batches are larger."""
