"""`vidrestore train prepare IN OUT` and `vidrestore train STAGE --config FILE key=value…`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from vidrestore.cli.terminal import print_line
from vidrestore.errors import UsageError

STAGES = {
    "codebook": "Learn a codebook of clean faces, or of degraded ones (domain=lq).",
    "association": "Align the features of the HQ and LQ encoders (association stage).",
    "restoration": "Predict the codes of the clean face from the degraded one.",
    "detail": "Learn the head that draws the face from the codes and the input's detail.",
    "evidence": "Learn to estimate the clean face and the error of that estimate.",
    "landmarks": "Learn the landmarks of the embedded detector.",
}
"""The stages and their help: those of the generator in order, of the evidence network, of the detector."""

EXAMPLES = """\
[bold]Examples[/bold]

vidrestore train prepare photographs faces --size 512

vidrestore train codebook --config configs/train/compact_codebook_hq.yaml

vidrestore train restoration --config configs/train/compact_restoration.yaml optim.batch=8

vidrestore train evidence --config configs/train/evidence.yaml batch=16

accelerate launch -m vidrestore train codebook --config configs/train/published_codebook_hq.yaml
"""

app = typer.Typer(
    help="Prepare faces and train the networks. The same command resumes an interrupted run.",
    epilog=EXAMPLES,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command("prepare")
def prepare(
    photographs: Annotated[Path, typer.Argument(metavar="IN", help="A folder of photographs.")],
    faces: Annotated[
        Path, typer.Argument(metavar="OUT", help="The folder of the aligned faces and their manifest.")
    ],
    size: Annotated[int, typer.Option(metavar="PIXELS", min=32, help="Side of an aligned face.")] = 512,
    border: Annotated[
        float,
        typer.Option(metavar="0..0.4", min=0, max=0.4, help="Border on each side, as a share of the side."),
    ] = 0.0,
    min_share: Annotated[
        float, typer.Option(metavar="SHARE", min=0, help="Skip faces smaller than this share of the size.")
    ] = 0.6,
    min_sharpness: Annotated[
        float, typer.Option(metavar="CODES", min=0, help="Skip faces less sharp than this.")
    ] = 2.0,
    detector: Annotated[str, typer.Option(metavar="NAME[=PATH]", help="As in restore.")] = "embedded",
) -> None:
    """Find the single face in each photograph and align it. Skips small, blurred and several faces."""
    from vidrestore.detection import make_detector
    from vidrestore.training.data.prepare import MANIFEST, FaceCriteria
    from vidrestore.training.data.prepare import prepare as run

    criteria = FaceCriteria(size=size, border=border, min_share=min_share, min_sharpness=min_sharpness)
    reasons = run(photographs, faces, make_detector(detector), criteria)
    print_line(", ".join(f"{count} {reason}" for reason, count in reasons.most_common()))
    print_line(f"faces and {MANIFEST}: {faces}")


def _stage(name: str) -> Callable[[Path, list[str] | None], None]:
    def train(
        config: Annotated[
            Path, typer.Option(metavar="FILE", help="The stage's YAML file.", show_default=False)
        ],
        overrides: Annotated[
            list[str] | None,
            typer.Argument(
                metavar="KEY=VALUE…", help="Values that override the file's, such as optim.batch=8."
            ),
        ] = None,
    ) -> None:
        _train(name, config, overrides or [])

    return train


for _name, _help in STAGES.items():
    app.command(_name, help=_help)(_stage(_name))


def module_name(stage: str) -> str:
    """The module whose `train` runs the stage."""
    folder = "detector" if stage == "landmarks" else "stages"
    return f"vidrestore.training.{folder}.{stage}"


def _train(stage: str, config: Path, overrides: list[str]) -> None:
    for override in overrides:
        if "=" not in override:
            raise UsageError(f"'{override}' is not KEY=VALUE, such as optim.batch=8")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    try:
        module = import_module(module_name(stage))
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("vidrestore"):
            raise
        raise UsageError(
            f"training needs {error.name}, which is not installed: pip install 'vidrestore[train]'"
        ) from error
    result = module.train(config, overrides)
    if result is not None:
        print_line(f"trained: {result}")
