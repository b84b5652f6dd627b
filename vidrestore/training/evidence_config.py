"""The configuration of a training run of the evidence network."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from vidrestore.evidence.network import EvidenceConfig
from vidrestore.training.config import Section, read_section


class EvidenceTrainConfig(Section):
    """A training run of the evidence network."""

    faces: list[Path] = Field(min_length=1)
    """Folders of aligned faces. The manifest of the first one, manifest.csv, describes all of them."""
    borders: list[float] = Field(default=[])
    """Width of the border around the aligned faces of each of these folders, as a fraction of the picture's
    side; none given: 0. Only whole faces (`half_size`) need it."""
    output: Path
    """Folder for checkpoints and logs."""
    start: Path | None = None
    """Weights of an evidence network to start from, such as the embedded ones; None: random weights."""
    steps: int = Field(ge=1)
    crop: int = Field(default=128, multiple_of=16, ge=16)
    """Pixels a side."""
    half_size: bool = False
    """Whether to train on whole faces instead of on crops. They have `crop` pixels a side after they were
    reduced to half their size."""
    refine: Path | None = None
    """Weights for half size. The network learns to refine their estimates of whole faces of twice `crop`
    pixels, of which it gets random crops; `network` must have `refines`."""
    batch: int = Field(default=16, ge=1)
    learning_rate: float = Field(default=8e-4, gt=0)
    final_learning_rate: float = Field(default=2e-5, gt=0)
    decay_from: float = Field(default=0.7, ge=0, le=1)
    """Share of the steps after which the learning rate decreases to the final one, along a cosine."""
    warmup: int = Field(default=500, ge=0)
    average: float = Field(default=0.999, ge=0, lt=1)
    """Decay of the moving average of the weights."""
    clip: float = Field(default=1.0, gt=0)
    """Largest norm of the gradient."""
    photos_only_from: int | None = None
    """Step after which only photographs are used, no synthetic faces."""
    seed: int = Field(default=0, ge=0)
    device: str = "auto"
    """auto, cpu, cuda, cuda:N or mps."""
    workers: int = Field(default=2, ge=0)
    """Processes that prepare crops; 0: the training process prepares them."""
    threads: int = Field(default=2, ge=1)
    """CPU threads for the network."""
    precision: Literal["bf16", "float32"] = "bf16"
    save_every: int = Field(default=500, ge=1)
    validate_every: int = Field(default=1000, ge=1)
    log_every: int = Field(default=50, ge=1)
    network: dict[str, Any] = Field(default={})
    """Fields of `EvidenceConfig` that differ from its defaults."""

    @model_validator(mode="after")
    def _has_a_border_for_each_folder(self) -> EvidenceTrainConfig:
        if self.borders and len(self.borders) != len(self.faces):
            raise ValueError(f"there are {len(self.borders)} borders for {len(self.faces)} folders of faces")
        if any(not 0 <= border < 0.5 for border in self.borders):
            raise ValueError("a border is at least 0 and less than 0.5")
        return self

    @model_validator(mode="after")
    def _has_one_kind_of_faces(self) -> EvidenceTrainConfig:
        if self.half_size and self.refine is not None:
            raise ValueError("half_size and refine exclude each other")
        if bool(self.network.get("refines")) != (self.refine is not None):
            raise ValueError("refine needs weights for half size, and a network that refines")
        return self

    @field_validator("network")
    @classmethod
    def _is_a_network(cls, values: dict[str, Any]) -> dict[str, Any]:
        try:
            EvidenceConfig.from_dict(values)
        except (TypeError, ValueError) as error:
            raise ValueError(f"no such evidence network: {error}") from error
        return values


def read_evidence_config(path: Path, overrides: list[str]) -> EvidenceTrainConfig:
    """The configuration in a YAML file, with `key=value` overrides.

    Raises:
        UsageError: The file cannot be read, or a value is wrong.
    """
    return read_section(EvidenceTrainConfig, path, overrides)
