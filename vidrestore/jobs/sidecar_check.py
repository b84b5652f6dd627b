"""Whether a sidecar's numbers of tracks and scenes are those of a run."""

from __future__ import annotations

from pathlib import Path

from vidrestore import __version__
from vidrestore.errors import UsageError
from vidrestore.settings import Settings
from vidrestore.sidecar import Sidecar, TrackingPart, VideoPart

_AGAIN = "write a new one by vidrestore inspect --sidecar"


def check_sidecar(source: Path, settings: Settings) -> None:
    """Raises UsageError where the settings' sidecar is of another video, version or way of tracking."""
    sidecar = settings.sidecar
    if sidecar is None:
        return
    if sidecar.version != __version__:
        raise UsageError(
            f"the sidecar is by vidrestore {sidecar.version}, and this is {__version__}, which may number "
            f"tracks in another way; {_AGAIN}"
        )
    size = file_bytes(source)
    if source.name != sidecar.video.name or size != sidecar.video.bytes:
        raise UsageError(f"the sidecar is of another file than {source}: {sidecar.video.name}; {_AGAIN}")
    wanted = tracking_part(settings)
    for name in TrackingPart.model_fields:
        recorded, given = getattr(sidecar.tracking, name), getattr(wanted, name)
        if recorded != given:
            raise UsageError(
                f"the sidecar was written with {name} {recorded}, not {given}, and tracks are numbered by "
                f"it; {_AGAIN}"
            )


def new_sidecar(source: Path, frames: int, settings: Settings) -> Sidecar:
    """One that says nothing yet."""
    return Sidecar(
        vidrestore_sidecar=1,
        version=__version__,
        video=VideoPart(name=source.name, bytes=file_bytes(source), frames=frames),
        tracking=tracking_part(settings),
    )


def tracking_part(settings: Settings) -> TrackingPart:
    """The settings that numbers depend on."""
    values = settings.model_dump(include=set(TrackingPart.model_fields))
    return TrackingPart(**values)


def file_bytes(source: Path) -> int | None:
    """The size of a file; None where it is none."""
    return source.stat().st_size if source.is_file() else None
