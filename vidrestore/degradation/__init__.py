"""Clean videos and pictures -> the same as users bring them, reproducibly."""
