"""Training data: faces, degradations, scenes."""
