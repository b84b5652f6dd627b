"""Training of the detector's two networks."""
