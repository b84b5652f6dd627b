"""The filter for VapourSynth. Users import it as `vidrestore.vapoursynth`."""
