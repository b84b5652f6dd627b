"""Makes degraded copies of clean videos and pictures, reproducibly."""
