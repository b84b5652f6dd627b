"""Checks that the numbers of tracks and scenes in a sidecar are valid for a run."""

from __future__ import annotations

from pathlib import Path

from vidrestore import __version__
from vidrestore.errors import UsageError
from vidrestore.settings import Settings
from vidrestore.settings.sidecar import Sidecar, TrackingPart, VideoPart

_AGAIN = "write a new one by vidrestore inspect --sidecar"


def check_sidecar(source: Path, settings: Settings) -> None:
    """Raises UsageError if the sidecar was written for another video, version or tracking setting."""
    sidecar = settings.sidecar
    if sidecar is None:
        return
    if sidecar.version != __version__:
        raise UsageError(
            f"the sidecar was written by vidrestore {sidecar.version}, and this is {__version__}, which may "
            f"number tracks differently; {_AGAIN}"
        )
    size = file_bytes(source)
    if source.name != sidecar.video.name or size != sidecar.video.bytes:
        raise UsageError(f"the sidecar was written for {sidecar.video.name}, not for {source}; {_AGAIN}")
    wanted = tracking_part(settings)
    for name in TrackingPart.model_fields:
        recorded, current = getattr(sidecar.tracking, name), getattr(wanted, name)
        if recorded != current:
            raise UsageError(
                f"the sidecar was written with {name} {recorded}, not {current}, and the numbers of tracks "
                f"depend on it; {_AGAIN}"
            )


def new_sidecar(source: Path, frames: int, settings: Settings) -> Sidecar:
    """A sidecar without entries for people and scenes.

    Args:
        source: The video.
        frames: Its number of frames.
        settings: The settings, on which the numbers of tracks depend.
    """
    return Sidecar(
        vidrestore_sidecar=1,
        version=__version__,
        video=VideoPart(name=source.name, bytes=file_bytes(source), frames=frames),
        tracking=tracking_part(settings),
    )


def tracking_part(settings: Settings) -> TrackingPart:
    """The settings that the numbers of tracks depend on."""
    values = settings.model_dump(include=set(TrackingPart.model_fields))
    return TrackingPart(**values)


def file_bytes(source: Path) -> int | None:
    """The size of a regular file; None for anything else."""
    return source.stat().st_size if source.is_file() else None
