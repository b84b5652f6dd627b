"""Planes and RGB, HDR as SDR shows it, small copies of frames."""
