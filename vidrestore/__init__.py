"""vidrestore restores the faces in a video and changes nothing else.

    import vidrestore
    report = vidrestore.restore("in.mp4", "out.mp4", strength=0.8)

Files:
    inspect(input)            scenes and faces: an Inspection
    preview(input, at)        frames before and after: Previews, to compare settings
    restore(input, output)    writes the restored video: a Report
    resume(output)            continues an interrupted restore: a Report

Pictures in memory:
    with Restorer() as r:     loads the networks once
        r.image(picture)      one picture: a Restored
        r.frames(pictures)    a stream of pictures; faces are tracked
        r.aligned(crops)      aligned faces, without detection

Settings are keyword arguments with the names of the command's options, such as `faces=[0, 2]`. The class
Settings lists them with their defaults. `on_progress` is called with a Progress. `cancel` is an event that
ends the work when it is set.

An error that the caller can cause or fix is a subclass of VidrestoreError with a message of one sentence; the
module `errors` lists them. Every other error is a defect of vidrestore.

Names are imported at their first use, so that `import vidrestore` is fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vidrestore import errors
    from vidrestore.api import inspect, preview, restore, resume
    from vidrestore.errors import (
        CancelledError,
        DamagedInputError,
        DeviceError,
        DownloadError,
        InputError,
        OutputError,
        ProcessingError,
        ReadError,
        UsageError,
        VidrestoreError,
        WeightsError,
    )
    from vidrestore.in_memory import Restored, RestoredFaceInfo, Restorer
    from vidrestore.inspection import Inspection
    from vidrestore.jobs.preview import Preview, Variant
    from vidrestore.runtime.process_settings import configure_process
    from vidrestore.settings import Settings
    from vidrestore.types import ColourTags, Frame, PixelFormat, Progress, Report

__version__ = "0.1.0"

__all__ = [
    "CancelledError",
    "ColourTags",
    "DamagedInputError",
    "DeviceError",
    "DownloadError",
    "Frame",
    "InputError",
    "Inspection",
    "OutputError",
    "PixelFormat",
    "Preview",
    "ProcessingError",
    "Progress",
    "ReadError",
    "Report",
    "Restored",
    "RestoredFaceInfo",
    "Restorer",
    "Settings",
    "UsageError",
    "Variant",
    "VidrestoreError",
    "WeightsError",
    "__version__",
    "configure_process",
    "errors",
    "inspect",
    "preview",
    "restore",
    "resume",
]

_HOMES = {
    "inspect": "api",
    "preview": "api",
    "restore": "api",
    "resume": "api",
    "configure_process": "runtime.process_settings",
    "Inspection": "inspection",
    "Preview": "jobs.preview",
    "Variant": "jobs.preview",
    "Restored": "in_memory",
    "RestoredFaceInfo": "in_memory",
    "Restorer": "in_memory",
    "Settings": "settings",
    "Report": "types",
    "Progress": "types",
    "Frame": "types",
    "PixelFormat": "types",
    "ColourTags": "types",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'vidrestore' has no attribute {name!r}")
    if name == "errors":
        return import_module("vidrestore.errors")
    return getattr(import_module(f"vidrestore.{_HOMES.get(name, 'errors')}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
