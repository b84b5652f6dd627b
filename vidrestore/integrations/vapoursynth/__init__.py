"""The filter for VapourSynth; `vidrestore.vapoursynth` is what users import."""
