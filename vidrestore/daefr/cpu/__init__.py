"""The fast path of the 512-pixel model on CPUs: Winograd convolutions and fused residual blocks."""
