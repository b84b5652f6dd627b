"""The configuration of a training run, from YAML and `key=value`. Unknown names are errors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from vidrestore.errors import UsageError, shown
from vidrestore.settings.yaml_file import read_yaml

Recipe = Literal["specification", "mild", "film", "broadcast", "broad"]


class Section(BaseModel):
    """A part of the configuration. It is frozen, and unknown names are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


S = TypeVar("S", bound=Section)


class DegradationConfig(Section):
    """Ranges of the synthetic degradation (docs/daefr.md, "Degradation"); values are uniform in them."""

    blur_sigma: tuple[float, float] = (0.1, 10.0)
    """Pixels of the full-size picture."""
    kernel_radius: tuple[int, int] = (19, 20)
    downsample: tuple[float, float] = (0.8, 8.0)
    noise: tuple[float, float] = (0.0, 20.0)
    """Standard deviation in 8-bit codes."""
    jpeg: tuple[int, int] = (60, 100)


class DataConfig(Section):
    faces: Path
    """A folder of aligned faces, one file per face. Pictures larger than the network's have a border."""
    border: float = 0.0
    """Width of that border on each side, as a fraction of the picture's side."""
    validation_share: float = Field(default=0.1, ge=0, lt=1)
    """Share of people that are held out for validation, chosen by a hash of the file name."""
    rotate: float = 0.0
    """Augmentation: largest rotation in degrees, in both directions."""
    scale: float = 0.0
    """Augmentation: largest relative change of size."""
    shift: float = 0.0
    """Augmentation: largest shift, as a fraction of the side."""
    colour: bool = False
    """Augmentation: whether saturation, tint, contrast and brightness are changed."""
    surroundings: float = 0.0
    """Augmentation: probability, 0..1, of another background behind the head."""
    light: float = 0.0
    """Augmentation: largest relative change of brightness by uneven light."""
    workers: int = 2
    degradation: DegradationConfig = DegradationConfig()
    mild: DegradationConfig = DegradationConfig(
        blur_sigma=(0.1, 1.2), kernel_radius=(5, 6), downsample=(1.0, 2.0), noise=(0.0, 6.0), jpeg=(70, 100)
    )
    """The ranges of the recipe `mild`, which hardly damages faces."""
    recipes: dict[Recipe, Annotated[float, Field(ge=0)]] = {"specification": 1.0}
    """Relative frequency of each recipe: specification and mild (with the ranges above), film and broadcast
    (vidrestore.training.data.footage_degradation), and broad, the one of the evidence network
    (vidrestore.training.data.evidence_degradation)."""

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
    """lpips: LPIPS with VGG, whose weights are downloaded; edges: gradients at several scales."""
    perceptual_weight: float = 1.0
    texture: float = 0.0
    """Weight of `texture_loss`: the amount of detail, not its position; the specification has 0."""
    codebook: float = 1.0
    adversarial: float = 0.8
    """Factor on the balanced weight of the adversarial loss."""
    adversarial_from: int = 30_001
    """Step at which the discriminator starts."""
    discriminator_filters: int = 64
    feature_matching: float = 0.0
    """Weight of feature matching with the discriminator, after its start; the specification has 0."""
    detector: float = 0.0
    """Weight of `DetectorLoss`: differences in the features of a face detector; the specification has 0."""
    detector_weights: Path | None = None
    """Path of RetinaFace's weights (mobile0.25), for `detector`."""
    drawn: float = 0.0
    """Stage detail with an evidence network: weight of the errors of the drawn face; those of the fused face
    have weight 1. With 0 the network exaggerates detail, because the fusion rule uses only a part of it."""
    landmark_weight: float = 0.0
    """Additional weight of pixels, edges and codes near eyes, nose and mouth; the specification has 0."""


class OptimConfig(Section):
    learning_rate: float
    by_processes: bool = False
    """With several processes: multiply the learning rate by their number and divide the steps by it. So the
    authors do: 4.5e-6 x batch x GPUs. `adversarial_from` stays, because the authors count steps, too."""
    betas: tuple[float, float] = (0.5, 0.9)
    schedule: Literal["constant", "cosine", "step"] = "constant"
    decay_every: int = 100_000
    """With schedule step: number of steps after which the learning rate is multiplied by decay."""
    decay: float = 0.5
    warmup: int = 0
    batch: int = 4
    """Faces per step and process."""
    accumulate: int = Field(default=1, ge=1)
    """Number of parts in which a batch is computed, to save memory."""
    clip: float | None = None
    """Largest norm of the gradient; None: no limit."""
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
    """Folder for checkpoints and logs."""
    start: dict[str, Path] = {}
    """Paths of start weights, by role. Stage codebook: autoencoder; or network, for the HQ encoder, codebook
    and decoder of a finished network. Stage association: hq and lq. Stage restoration: hq, and association or
    network (an earlier result). Stage detail: network; evidence, to train through the fusion rule, and
    evidence_half and evidence_refinement, the weights for half size and to refine its estimates; head, to
    continue from an earlier detail head."""
    precision: Literal["bf16", "float32"] | None = None
    """Number format of the networks; None: float32 for the published network, otherwise bf16."""
    device: str = "auto"
    data: DataConfig
    loss: LossConfig = LossConfig()
    optim: OptimConfig
    quantise_from: int = 0
    """Stage codebook: before this step features are not quantised; then the codebook starts from them."""
    freeze_codebook: bool = False
    """Stage codebook: do not train the codebook, so that an existing code predictor stays valid."""
    code_reset_every: int = 0
    """Stage codebook: steps between resets of unused codes to features; 0: never."""
    save_every: int = 500
    validate_every: int = 500
    validation_faces: int = 8
    """Number of held-out faces for validation; also the columns of the picture grids."""
    log_every: int = 20

    @property
    def uses_bf16(self) -> bool:
        return (self.precision or ("float32" if self.network == "published" else "bf16")) == "bf16"


def read_config(path: Path, overrides: list[str]) -> TrainConfig:
    """The configuration of one of DAEFR's stages. Arguments and errors are those of `read_section`."""
    return read_section(TrainConfig, path, overrides)


def read_section(kind: type[S], path: Path, overrides: list[str]) -> S:
    """The configuration in a YAML file.

    Args:
        kind: The class of the configuration.
        path: The YAML file.
        overrides: Texts such as `optim.batch=8`, which win over the file.

    Raises:
        UsageError: The file cannot be read, or a value is wrong.
    """
    try:
        values = read_yaml(path)
        for override in overrides:
            name, separator, text = override.partition("=")
            if not separator:
                raise UsageError(f"'{override}' is not of the form key=value")
            _put(values, name.split("."), yaml.safe_load(text))
        return kind(**values)
    except ValidationError as error:  # it is also a ValueError
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
