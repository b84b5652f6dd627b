"""Colour: planes and RGB, SDR renderings of HDR, small copies of frames."""
