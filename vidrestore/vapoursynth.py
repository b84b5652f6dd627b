"""Restores faces in VapourSynth clips: `vidrestore.vapoursynth.restore(clip)`."""

try:
    import vapoursynth  # noqa: F401
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "VapourSynth is not installed: pip install 'vidrestore[vapoursynth]' in Python 3.12 or later",
        name="vapoursynth",
    ) from error

from vidrestore.integrations.vapoursynth.filter import restore

__all__ = ["restore"]
