"""What a training run is made of: read from YAML, overridden by key=value, unknown names refused."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from vidrestore.errors import UsageError, shown
from vidrestore.yaml_file import read_yaml

Recipe = Literal["specification", "mild", "film", "broadcast", "broad"]


class Section(BaseModel):
    """Frozen, and a misspelt name is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


S = TypeVar("S", bound=Section)


class DegradationConfig(Section):
    """Ranges of the synthetic degradation (docs/daefr.md, "Degradation"), drawn uniformly."""

    blur_sigma: tuple[float, float] = (0.1, 10.0)
    """Pixels at full size."""
    kernel_radius: tuple[int, int] = (19, 20)
    downsample: tuple[float, float] = (0.8, 8.0)
    noise: tuple[float, float] = (0.0, 20.0)
    """Standard deviation in 8-bit codes."""
    jpeg: tuple[int, int] = (60, 100)


class DataConfig(Section):
    faces: Path
    """A folder of aligned faces, one file a face; images larger than the network's carry a border."""
    border: float = 0.0
    """Fraction of the image's side that lies outside the aligned face, on each side."""
    validation_share: float = Field(default=0.1, ge=0, lt=1)
    """Share of files (people) held out, chosen by a hash of the name."""
    rotate: float = 0.0
    """Augmentation: degrees either way."""
    scale: float = 0.0
    """Augmentation: the largest relative change of size."""
    shift: float = 0.0
    """Augmentation: fraction of the side."""
    colour: bool = False
    """Augmentation: grey, tint, contrast and brightness."""
    surroundings: float = 0.0
    """Augmentation: how often, 0..1, another backdrop is put behind the head."""
    light: float = 0.0
    """Augmentation: largest relative change of brightness by uneven light."""
    workers: int = 2
    degradation: DegradationConfig = DegradationConfig()
    mild: DegradationConfig = DegradationConfig(
        blur_sigma=(0.1, 1.2), kernel_radius=(5, 6), downsample=(1.0, 2.0), noise=(0.0, 6.0), jpeg=(70, 100)
    )
    """The recipe `mild`: faces that need next to nothing."""
    recipes: dict[Recipe, Annotated[float, Field(ge=0)]] = {"specification": 1.0}
    """How often each recipe degrades a face, in proportion: specification, mild (both as configured above),
    film and broadcast (vidrestore.training.data.footage_degradation), broad (as the evidence network's:
    vidrestore.training.data.evidence_degradation)."""

    @field_validator("recipes")
    @classmethod
    def _any_recipe(cls, recipes: dict[Recipe, float]) -> dict[Recipe, float]:
        if sum(recipes.values()) <= 0:
            raise ValueError("at least one recipe must have a share above 0")
        return recipes


class LossConfig(Section):
    pixel: float = 1.0
    """Weight of the mean absolute error."""
    perceptual: Literal["lpips", "edges", "none"] = "lpips"
    """lpips: LPIPS with VGG, whose backbone is downloaded. edges: gradients over several scales."""
    perceptual_weight: float = 1.0
    texture: float = 0.0
    """Weight of the error of how much detail there is, wherever it lies; 0 is the specification."""
    codebook: float = 1.0
    adversarial: float = 0.8
    """Factor on the balanced adversarial weight."""
    adversarial_from: int = 30_001
    """Step at which the discriminator is switched on."""
    discriminator_filters: int = 64
    feature_matching: float = 0.0
    """Weight of the discriminator's feature matching, once it is on; 0 is the specification."""
    detector: float = 0.0
    """Weight of how differently a face detector sees the two faces; 0 is the specification."""
    detector_weights: Path | None = None
    """RetinaFace (mobile0.25), for `detector`."""
    drawn: float = 0.0
    """Stage detail with an evidence network: weight of the errors of the face as drawn, beside those of the
    fused face. Without it the network exaggerates, as the rule takes less than it offers."""
    landmark_weight: float = 0.0
    """Extra weight of pixels, edges and codes around eyes, nose and mouth; 0 is the specification."""


class OptimConfig(Section):
    learning_rate: float
    betas: tuple[float, float] = (0.5, 0.9)
    schedule: Literal["constant", "cosine", "step"] = "constant"
    decay_every: int = 100_000
    """Schedule step: steps after which the rate is multiplied by decay."""
    decay: float = 0.5
    warmup: int = 0
    batch: int = 4
    """Faces a step and process."""
    accumulate: int = Field(default=1, ge=1)
    """Parts a batch is worked off in, where memory does not hold it at once."""
    clip: float | None = None
    """Largest norm of the gradient; None: not clipped."""
    ema: float = 0.0
    """Decay of the moving average of the weights; 0: none."""


class TrainConfig(Section):
    """One stage of training."""

    network: Literal["published", "compact"]
    domain: Literal["hq", "lq"] = "hq"
    """Stage codebook only: reconstruct clean or degraded faces."""
    steps: int
    seed: int = 0
    output: Path
    """Folder of checkpoints and logs."""
    start: dict[str, Path] = {}
    """Start weights by role. codebook: autoencoder, or network to go on from a finished one's encoder for
    clean faces, codebook and decoder; association: hq, lq; restoration: hq, and
    association or, to go on from an earlier one, network; detail: network, evidence to train for what the
    fusion rule lets in, and skips to continue from an earlier one's."""
    precision: Literal["bf16", "float32"] | None = None
    """Of the networks' arithmetic; None: float32 for the published network, as its authors, else bf16."""
    device: str = "auto"
    data: DataConfig
    loss: LossConfig = LossConfig()
    optim: OptimConfig
    quantise_from: int = 0
    """Stage codebook: until this step features pass unquantised; then the codebook starts from them."""
    freeze_codebook: bool = False
    """Stage codebook: leave the codebook as it starts, so that what predicts its codes stays right."""
    code_reset_every: int = 0
    """Stage codebook: every so many steps unused codes move onto features; 0: never."""
    save_every: int = 500
    validate_every: int = 500
    validation_faces: int = 8
    """People held out that are looked at then; also the columns of the picture grids."""
    log_every: int = 20

    @property
    def uses_bf16(self) -> bool:
        return (self.precision or ("float32" if self.network == "published" else "bf16")) == "bf16"


def read_config(path: Path, overrides: list[str]) -> TrainConfig:
    """The configuration of one of DAEFR's stages; see `read_section`."""
    return read_section(TrainConfig, path, overrides)


def read_section(kind: type[S], path: Path, overrides: list[str]) -> S:
    """The configuration in a YAML file with `a.b=value` overrides.

    Raises UsageError with one sentence for a file or a value that cannot be meant.
    """
    try:
        values = read_yaml(path)
        for override in overrides:
            name, separator, text = override.partition("=")
            if not separator:
                raise UsageError(f"'{override}' is not of the form key=value")
            _put(values, name.split("."), yaml.safe_load(text))
        return kind(**values)
    except ValidationError as error:  # which is a ValueError as well
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise UsageError(f"{path}: {name}: {message}, got {shown(first['input'])}") from error
    except (yaml.YAMLError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise UsageError(f"cannot read the configuration {path}: {error}".replace("\n", " ")) from error


def _put(values: dict[str, Any], keys: list[str], value: Any) -> None:
    for key in keys[:-1]:
        values = values.setdefault(key, {})
    values[keys[-1]] = value
