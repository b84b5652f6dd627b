"""Loss terms of training."""
