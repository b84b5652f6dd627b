"""vidrestore restores the faces in a video and leaves everything else as it was.

    import vidrestore
    report = vidrestore.restore("in.mp4", "out.mp4", strength=0.8)

Names are imported when first used, so that `import vidrestore` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vidrestore import errors
    from vidrestore.api import inspect, preview, restore, resume
    from vidrestore.errors import (
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
    from vidrestore.settings import Settings
    from vidrestore.types import Progress, Report

__version__ = "0.1.0"

__all__ = [
    "DamagedInputError",
    "DeviceError",
    "DownloadError",
    "InputError",
    "Inspection",
    "OutputError",
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
    "Inspection": "inspection",
    "Preview": "jobs.preview",
    "Variant": "jobs.preview",
    "Restored": "in_memory",
    "RestoredFaceInfo": "in_memory",
    "Restorer": "in_memory",
    "Settings": "settings",
    "Report": "types",
    "Progress": "types",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'vidrestore' has no attribute {name!r}")
    if name == "errors":
        return import_module("vidrestore.errors")
    return getattr(import_module(f"vidrestore.{_HOMES.get(name, 'errors')}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
