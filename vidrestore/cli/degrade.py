"""`vidrestore degrade IN OUT --recipe NAME --seed N`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from vidrestore.cli import options
from vidrestore.cli.progress import show_progress
from vidrestore.cli.terminal import print_line
from vidrestore.cli.wording import count
from vidrestore.settings import make_settings

RecipeName = Literal["film", "tape", "broadcast", "phone", "paper"]

EXAMPLES = """\
[bold]Examples[/bold]

vidrestore degrade clean.mp4 old.mkv --recipe film --seed 7 --codec ffv1

vidrestore degrade faces degraded --recipe paper

[bold]Recipes[/bold]

film: blur, grain, dust, scratches, uneven exposure; tape: soft lines, bleeding colour, noise, jitter; \
broadcast: small size, very low bit rate; phone: shake, noise, sharpening, low bit rate; paper: blur, \
downsampling, noise and JPEG as published for aligned faces of 512 pixels
"""


def degrade(
    input: Annotated[
        Path,
        typer.Argument(
            metavar="IN", help="A clean video, picture, folder of pictures or sequence.", show_default=False
        ),
    ],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="Its degraded copy.", show_default=False)],
    recipe: Annotated[
        RecipeName,
        typer.Option(
            metavar="film|tape|broadcast|phone|paper", help="Kind of degradation.", show_default=False
        ),
    ],
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="Random seed; the same seed gives the same frames.")
    ] = 0,
    codec: options.Codec = None,
    crf: options.Crf = None,
    preset: options.Preset = None,
    fps: options.Fps = None,
    start: options.Start = None,
    end: options.End = None,
    overwrite: Annotated[
        bool | None, typer.Option("--overwrite", "-y", metavar="", help="Replace OUT.", show_default=False)
    ] = None,
    quiet: options.Quiet = False,
) -> None:
    """Make a degraded copy of IN whose pixels stay in place: pairs for testing and comparing restorers."""
    settings = make_settings(
        codec=codec, crf=crf, preset=preset, fps=fps, start=start, end=end, overwrite=overwrite
    )
    from vidrestore.degradation.degrade import degrade_path

    with show_progress(quiet=quiet) as on_progress:
        frames = degrade_path(
            input,
            output,
            recipe,
            seed=seed,
            settings=settings,
            on_progress=on_progress,
        )
    if not quiet:
        print_line(f"{output}: {count(frames, 'frame')} degraded by the recipe {recipe}, seed {seed}")
