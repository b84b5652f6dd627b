"""`vidrestore train STAGE --config FILE key=value…`."""

from __future__ import annotations

import logging
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from vidrestore.errors import UsageError

STAGES = ("codebook", "association", "restoration", "fidelity", "landmarks")
"""In the order they are run; each is the module of that name in vidrestore.training."""

EXAMPLES = """\
[bold]Examples[/bold]

vidrestore train codebook --config configs/train/compact_codebook_hq.yaml

vidrestore train restoration --config configs/train/compact_restoration.yaml optim.batch=8
"""


def train(
    stage: Annotated[str, typer.Argument(metavar="STAGE", help=f"One of {', '.join(STAGES)}.")],
    config: Annotated[Path, typer.Option(metavar="FILE", help="The stage's YAML file.", show_default=False)],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE…", help="Values that win over the file's, such as optim.batch=8."),
    ] = None,
) -> None:
    """Train one stage of the networks; a run that was stopped goes on where it was."""
    if stage not in STAGES:
        raise UsageError(f"there is no stage '{stage}'; there are {', '.join(STAGES)}")
    for override in overrides or ():
        if "=" not in override:
            raise UsageError(f"'{override}' is not KEY=VALUE, such as optim.batch=8")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    try:
        module = import_module(f"vidrestore.training.{stage}")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("vidrestore"):
            raise
        raise UsageError(
            f"training needs {error.name}, which is not installed: pip install 'vidrestore[train]'"
        ) from error
    result = module.train(config, list(overrides or ()))
    if result is not None:
        print(f"trained: {result}")
