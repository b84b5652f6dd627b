"""All known weights: their names, purpose, source, licence and checksum.

A checksum of None means that it is not known; `cache` then takes it from the host at the first download, and
every later load must match it.
"""

from __future__ import annotations

from dataclasses import dataclass

from vidrestore.errors import UsageError

_FACEXLIB = "https://github.com/xinntao/facexlib/releases/download/v0.1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """A file in the package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HubFile:
    """A file of a Hugging Face repository."""

    repository: str
    file: str
    endpoint: str | None = None
    """The address of a mirror; None: huggingface.co, or HF_ENDPOINT."""

    def __str__(self) -> str:
        return f"huggingface.co/{self.repository}/{self.file}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Url:
    """A file at an https:, http: or file: address."""

    address: str

    def __str__(self) -> str:
        return self.address


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One set of weights."""

    name: str
    """Name for `vidrestore models pull`, and for --model or --detector if it is a generator or a detector."""
    purpose: str
    file_name: str
    licence: str
    source: Embedded | HubFile | Url
    size: int | None = None
    """Bytes; None: known after the download."""
    sha256: str | None = None


CATALOGUE = (
    Entry(
        name="compact",
        purpose="restores, 256 pixels; the default",
        file_name="compact.safetensors",
        licence="Apache-2.0",
        source=Embedded(),
    ),
    Entry(
        name="evidence",
        purpose="estimates what the footage shows; the default",
        file_name="evidence.safetensors",
        licence="Apache-2.0",
        source=Embedded(),
    ),
    Entry(
        name="evidence_half",
        purpose="estimates faces at half their size; the default",
        file_name="evidence_half.safetensors",
        licence="Apache-2.0",
        source=Embedded(),
    ),
    Entry(
        name="evidence_refinement",
        purpose="refines estimates at half size; the default",
        file_name="evidence_refinement.safetensors",
        licence="Apache-2.0",
        source=Embedded(),
    ),
    Entry(
        name="yunet",
        purpose="finds faces; the default",
        file_name="yunet.onnx",
        licence="MIT",
        source=Embedded(),
    ),
    Entry(
        name="landmarks",
        purpose="checks and follows faces",
        file_name="landmarks.safetensors",
        licence="Apache-2.0",
        source=Embedded(),
    ),
    Entry(
        name="recognition",
        purpose="distinguishes people",
        file_name="recognition.safetensors",
        licence="public domain (CC0)",
        source=Embedded(),
    ),
    Entry(
        name="face_mesh",
        purpose="measures mouths",
        file_name="face_mesh.safetensors",
        licence="Apache-2.0",
        source=Embedded(),
    ),
    Entry(
        name="natural_faces",
        purpose="measures how natural faces look",
        file_name="natural_faces.safetensors",
        licence="Apache-2.0",
        source=Embedded(),
    ),
    Entry(
        name="daefr",
        purpose="restores, 512 pixels",
        file_name="DAEFR_model.ckpt",
        licence="none stated by its authors: ask them before commercial use",
        source=HubFile(repository="LIAGM/DAEFR_pretrain_model", file="DAEFR_model.ckpt"),
    ),
    Entry(
        name="retinaface_mobile0.25",
        purpose="finds upright faces; fast",
        file_name="detection_mobilenet0.25_Final.pth",
        licence="MIT",
        source=Url(address=f"{_FACEXLIB}/detection_mobilenet0.25_Final.pth"),
        size=1_789_735,
        sha256="2979b33ffafda5d74b6948cd7a5b9a7a62f62b949cef24e95fd15d2883a65220",
    ),
    Entry(
        name="retinaface_resnet50",
        purpose="finds upright faces; slower and more accurate",
        file_name="detection_Resnet50_Final.pth",
        licence="MIT",
        source=Url(address=f"{_FACEXLIB}/detection_Resnet50_Final.pth"),
        size=109_497_761,
        sha256="6d1de9c2944f2ccddca5f5e010ea5ae64a39845a86311af6fdf30841b0a5a16d",
    ),
)


def find_entry(name: str) -> Entry:
    """The entry with this name.

    Raises:
        UsageError: There is none; the message lists all names.
    """
    for entry in CATALOGUE:
        if entry.name == name:
            return entry
    known = ", ".join(entry.name for entry in CATALOGUE)
    raise UsageError(f"there are no weights called '{name}'; there are {known}")
