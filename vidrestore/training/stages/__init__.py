"""The training stages of the restoration network, one module each."""
