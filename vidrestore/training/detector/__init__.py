"""Training of the detector's landmark network."""
